/* SPDX-License-Identifier: MIT */
#include "cost.h"

#include "table.h"

bool inv_cost_of(const struct inv_cut *cut, uint64_t calls, struct inv_cost *out)
{
	*out = (struct inv_cost){0};
	if (!(cut->cost_ns > 0))
		return false;
	out->call_ns = cut->cost_ns;
	out->all_ns = cut->cost_ns * (double)calls;
	if (cut->elapsed_ns)
		out->percent = 100 * out->all_ns / (double)cut->elapsed_ns;
	return true;
}

static void say_share(double percent, FILE *to)
{
	if (percent >= 0.01)
		fprintf(to, ": %.*f %% of the run",
			percent < 1    ? 2
			: percent < 10 ? 1
				       : 0,
			percent);
	else if (percent > 0)
		fputs(": less than 0.01 % of the run", to);
}

void inv_cost_say(const struct inv_cut *cut, FILE *to)
{
	struct inv_cost cost;
	uint64_t calls = inv_cut_total(cut);
	char all[32];
	if (!calls || !inv_cost_of(cut, calls, &cost))
		return;
	inv_table_format_duration(all, cost.all_ns);
	fprintf(to, "Observing cost %s %.0f ns a call, %s in all",
		cut->cost_at_least ? "at least" : "about", cost.call_ns, all);
	say_share(cost.percent, to);
	fputs(cut->cost_at_least ? "; a call in Python costs more: `invreg bench` measures it\n"
				 : "\n",
	      to);
}

void inv_cost_put(const struct inv_cut *cut, uint64_t calls, struct inv_json *json)
{
	struct inv_cost cost;
	inv_cost_of(cut, calls, &cost);
	inv_json_key(json, "cost_ns_per_call");
	inv_json_put_real(json, cost.call_ns, 3);
	inv_json_key(json, "cost_ms");
	inv_json_put_ms(json, cost.all_ns);
	inv_json_key(json, "cost_percent");
	inv_json_put_real(json, cost.percent, 6);
	inv_json_key(json, "cost_at_least");
	inv_json_put_bool(json, cut->cost_at_least);
}
