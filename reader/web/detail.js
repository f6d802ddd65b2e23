// SPDX-License-Identifier: MIT
// detail.js - the dialogs: one call, one artifact.

import { byId, count, duration, el, percent } from "./format.js";
import { get } from "./net.js";

function show(title, ...body) {
	byId("detail-title").textContent = title;
	byId("detail-body").replaceChildren(...body);
	if (!byId("detail").open)
		byId("detail").showModal();
	byId("detail-body").scrollTop = 0;
}

function list(entries) {
	const dl = el("dl", "facts");
	for (const [name, value, className] of entries) {
		const row = el("div");
		row.append(el("dt", "", name), el("dd", className ?? "", value));
		dl.append(row);
	}
	return dl;
}

function button(text, act) {
	const b = el("button", "", text);
	b.type = "button";
	b.addEventListener("click", () => {
		byId("detail").close();
		act();
	});
	return b;
}

export function showCall(call, filter) {
	const text = (v) => v === null ? "null" : typeof v === "string" ? v : String(v);
	const actions = el("p", "actions");
	actions.append(
		button("Only this artifact", () => filter({ artifact: call.artifact_id })),
		button("Only this invoker", () => filter({ invoker: call.invoker_id })),
		button("This pair", () => filter({ artifact: call.artifact_id, invoker: call.invoker_id })));
	const raw = el("pre", "raw", JSON.stringify(call, null, 2));
	show(call.success ? "A call that succeeded" : "A call that failed",
		list(Object.entries(call).map(([key, value]) => [key,
			key === "duration_ms" ? `${value} (${duration(value)})` : text(value),
			`mono${value === null ? " muted" : ""}${key.startsWith("error") && value ? " bad-text" : ""}`])),
		actions, raw);
}

function methodTable(methods) {
	const table = el("table", "plain"), head = el("tr"), body = el("tbody"), thead = el("thead");
	for (const title of ["Method", "Calls", "Success", "Avg", "p50", "p99", "Max", "Failures"]) {
		const th = el("th", title === "Method" || title === "Failures" ? "" : "num", title);
		th.scope = "col";
		head.append(th);
	}
	for (const m of methods) {
		const tr = el("tr"), th = el("th", "", m.method);
		th.scope = "row";
		const failures = Object.entries(m.failure_types).map(([type, n]) => `${type} ${count(n)}`).join(", ");
		tr.append(th, ...[count(m.total_invocations), percent(m.success_rate), duration(m.avg_duration_ms),
			duration(m.p50_ms), duration(m.p99_ms), duration(m.max_ms)].map((t) => el("td", "num", t)), el("td", "", failures));
		body.append(tr);
	}
	thead.append(head);
	table.append(thead, body);
	const scroll = el("div", "scroll-x");
	scroll.append(table);
	return scroll;
}

export async function showArtifact(a, filter) {
	const failures = Object.entries(a.failure_types).map(([type, n]) => `${type} ${count(n)}`).join(", ");
	const actions = el("p", "actions"), methods = el("div");
	actions.append(button("Its invocations", () => filter({ artifact: a.artifact_id })),
		button("Its failures", () => filter({ artifact: a.artifact_id, success: "false" })));
	show(a.artifact_id || "(no name)", list([
		["Calls", `${count(a.total_invocations)}: ${count(a.successful)} succeeded, ${count(a.failed)} failed`],
		["Failures", failures || "none"],
		["Average", duration(a.avg_duration_ms)],
		["p50, p90, p99, p99.9", [a.p50_ms, a.p90_ms, a.p99_ms, a.p999_ms].map(duration).join(", ")],
		["Longest", duration(a.max_ms)],
		["Self, in all", `${duration(a.self_ms)} (without the calls made inside)`],
		["In flight", count(a.in_flight)],
		["Invokers", count(a.unique_invokers)],
		["Last tick", String(a.last_tick)],
	]), actions, methods);
	try {
		const { rows, total } = await get("/api/methods", { artifact_id: a.artifact_id, limit: 100 });
		methods.append(methodTable(rows));
		if (total > rows.length)
			methods.append(el("p", "muted", `${count(rows.length)} of ${count(total)} methods`));
	} catch (error) {
		methods.append(el("p", "muted", String(error)));
	}
}
