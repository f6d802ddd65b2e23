// SPDX-License-Identifier: MIT
// artifacts.js - the table of artifacts: totals of the server, rates by the difference of two
// looks, a sparkline of the last minutes.
//
// A sparkline begins with what the server knows of those minutes, asked for once when its row
// comes in sight, and goes on with the rates.
//
// One request a look, for at most 1,000 rows, in the order that is chosen: where there are
// more, the first 1,000 of that order are here and the search finds the others.

import { Sparkline } from "./charts.js";
import { count, duration, el, oneLine, percent, rate, setText } from "./format.js";
import { get, oneAtATime, pool } from "./net.js";
import { series } from "./past.js";
import { VList } from "./vlist.js";

const ROWS_MOST = 1000;
const SPARK_SECONDS = 180;
const ASKED_MOST = 80; // rows that wait for their sparkline: who scrolls on leaves the rest
const ASK_WIDTH = 3; // requests at a time
const FORGET_AFTER = 5000; // artifacts whose rates are remembered

// key: of the column; server: what the API calls that order; value: to sort by.
const COLUMNS = [
	{ key: "name", title: "Artifact", server: "name", value: (a) => a.artifact_id },
	{ key: "calls", title: "Calls", server: "total", value: (a) => a.total_invocations, className: "num" },
	{ key: "rate", title: "Calls/s", value: (a) => a.callsPerSecond ?? 0, className: "num" },
	{ key: "success", title: "Success", server: "rate", value: (a) => -a.success_rate },
	{ key: "failures", title: "Failures by type", server: "failed", value: (a) => a.failed },
	{ key: "avg", title: "Avg", server: "mean", value: (a) => a.avg_duration_ms, className: "num" },
	{ key: "p50", title: "p50", server: "p50", value: (a) => a.p50_ms, className: "num" },
	{ key: "p99", title: "p99", server: "p99", value: (a) => a.p99_ms, className: "num" },
	{ key: "open", title: "Open", value: (a) => a.in_flight, className: "num" },
	{ key: "spark", title: "Last minutes", sort: false },
];

export class Artifacts {
	constructor({ root, note, search, sort, open, moves }) {
		this.note = note;
		this.search = search;
		this.rows = [];
		this.total = 0;
		this.past = new Map();
		this.moves = moves;
		this.wanted = [];
		this.loadSparks = oneAtATime(() => this.askForSparks());
		this.sortKey = "calls";
		this.ascending = false;
		this.list = new VList(root, {
			columns: COLUMNS,
			className: "artifacts",
			empty: "No artifact has been called yet.",
			sort: (key) => this.sortBy(key),
			create: (row) => this.create(row),
			update: (parts, i) => this.update(parts, this.rows[i]),
			open: (i) => open(this.rows[i]),
		});
		this.list.showSort(this.sortKey, this.ascending);
		for (const column of COLUMNS)
			if (column.sort !== false)
				sort.append(new Option(column.title, column.key));
		sort.value = this.sortKey;
		sort.addEventListener("change", () => this.sortBy(sort.value));
		this.sortSelect = sort;
		let wait;
		search.addEventListener("input", () => {
			clearTimeout(wait);
			wait = setTimeout(() => this.refresh(), 120);
		});
		this.refresh = oneAtATime(() => this.load());
	}

	sortBy(key) {
		this.ascending = key === this.sortKey ? !this.ascending : key === "name";
		this.sortKey = key;
		this.sortSelect.value = key;
		this.list.showSort(key, this.ascending);
		this.order();
		this.list.scroller.scrollTop = 0;
		this.refresh();
	}

	async load() {
		const column = COLUMNS.find((c) => c.key === this.sortKey);
		const { rows, total } = await get("/api/artifacts", {
			limit: ROWS_MOST,
			sort: column.server ?? "total",
			order: column.server && this.ascending ? "asc" : "desc",
			search: this.search.value,
		});
		const now = performance.now() / 1000;
		for (const row of rows)
			this.remember(row, now);
		if (this.past.size > FORGET_AFTER)
			for (const [id, p] of this.past)
				if (p.at !== now)
					this.past.delete(id);
		this.rows = rows;
		this.total = total;
		this.order();
		const all = total > rows.length ? `${count(rows.length)} of ${count(total)}: search to find the others` : count(total);
		setText(this.note, this.search.value ? `${all} found` : all);
	}

	/** Rates are the difference to the look before. */
	remember(row, now) {
		let p = this.past.get(row.artifact_id);
		if (!p) {
			p = { calls: row.total_invocations, at: now, spark: [], rate: null, asked: false };
			this.past.set(row.artifact_id, p);
		} else if (p.calls === null || row.total_invocations < p.calls) {
			Object.assign(p, { calls: row.total_invocations, at: now, spark: [], rate: null, asked: false });
		} else if (now - p.at > 0.9) {
			p.rate = (row.total_invocations - p.calls) / (now - p.at);
			p.calls = row.total_invocations;
			p.at = now;
			if (p.rate > 0 || this.moves())
				this.extend(p, now, p.rate);
		}
		row.callsPerSecond = p.rate;
		row.past = p;
	}

	extend(p, at, rate) {
		p.spark.push([at, rate]);
		while (p.spark[0][0] < at - SPARK_SECONDS)
			p.spark.shift();
	}

	/** Nothing is called any more: for now, or for good. */
	still(forNow) {
		const now = performance.now() / 1000;
		for (const p of this.past.values()) {
			p.rate = forNow ? 0 : null;
			if (forNow && p.calls !== null && now - p.at > 0.9) {
				this.extend(p, now, 0);
				p.at = now;
			}
		}
		for (const row of this.rows)
			row.callsPerSecond = forNow ? 0 : null;
		this.list.render();
	}

	/** Nobody looked for a while: rates begin anew, and sparklines are asked for again. */
	catchUp() {
		for (const p of this.past.values())
			p.calls = null;
	}

	/** The row is in sight. */
	want(id) {
		const p = this.past.get(id);
		if (!p || p.asked)
			return;
		p.asked = true;
		this.wanted.push(id);
		if (this.wanted.length > ASKED_MOST) {
			const other = this.past.get(this.wanted.shift());
			if (other)
				other.asked = false;
		}
		this.loadSparks();
	}

	async askForSparks() {
		const jobs = [];
		for (let id; (id = this.wanted.pop()) !== undefined;) {
			const of = id, p = this.past.get(id);
			if (p)
				jobs.push(() => this.askForSpark(p, of));
		}
		await pool(jobs, ASK_WIDTH);
		this.list.render();
	}

	/** The server's clock is not ours: its last second has just ended. */
	async askForSpark(p, id) {
		const points = await series(SPARK_SECONDS, id);
		if (points.length === 0)
			return;
		const now = performance.now() / 1000, last = points[points.length - 1].at;
		const before = points.map((s) => [now - (last - s.at), s.calls]);
		p.spark = [...before, ...p.spark.filter((s) => s[0] > now)];
	}

	order() {
		const value = COLUMNS.find((c) => c.key === this.sortKey).value;
		const way = this.ascending ? 1 : -1;
		this.rows.sort((a, b) => {
			const x = value(a), y = value(b);
			return x < y ? -way : x > y ? way : a.artifact_id < b.artifact_id ? -1 : 1;
		});
		this.list.setCount(this.rows.length);
	}

	create(row) {
		const parts = {};
		for (const column of COLUMNS) {
			const cell = el("div", `c-${column.key} ${column.className ?? ""}`);
			cell.setAttribute("role", "cell");
			row.append(cell);
			parts[column.key] = cell;
		}
		parts.bar = el("span", "bar");
		parts.fill = el("span");
		parts.bar.append(parts.fill);
		parts.share = el("span", "share");
		parts.success.append(parts.bar, parts.share);
		parts.line = new Sparkline(parts.spark);
		return parts;
	}

	update(parts, a) {
		if (!a)
			return;
		setText(parts.name, oneLine(a.artifact_id) || "(no name)");
		parts.name.title = a.artifact_id;
		setText(parts.calls, count(a.total_invocations));
		setText(parts.rate, a.callsPerSecond === null ? "–" : rate(a.callsPerSecond));
		setText(parts.share, percent(a.success_rate));
		parts.fill.style.width = `${a.success_rate * 100}%`;
		parts.bar.classList.toggle("bad", a.success_rate < 0.9);
		parts.bar.classList.toggle("warn", a.success_rate >= 0.9 && a.success_rate < 0.97);
		this.updateFailures(parts, a);
		setText(parts.avg, duration(a.avg_duration_ms));
		setText(parts.p50, duration(a.p50_ms));
		setText(parts.p99, duration(a.p99_ms));
		setText(parts.open, a.in_flight ? count(a.in_flight) : "");
		this.want(a.artifact_id);
		if (a.past.spark.length > 1)
			parts.line.set(a.past.spark);
		else
			parts.line.restyle();
	}

	updateFailures(parts, a) {
		const types = Object.entries(a.failure_types).sort((x, y) => y[1] - x[1]);
		const text = types.map(([type, n]) => `${type} ${count(n)}`).join(", ");
		if (parts.failuresText === text)
			return;
		parts.failuresText = text;
		parts.failures.title = text;
		parts.failures.replaceChildren(...types.slice(0, 6).map(([type, n]) => {
			const chip = el("span", "chip");
			chip.append(el("b", "", count(n)), " ", oneLine(type));
			return chip;
		}));
	}

	restyle() {
		for (const row of this.list.pool)
			row.parts.line.restyle();
		this.list.render();
	}

	forget() {
		this.past.clear();
		this.rows = [];
		this.list.setCount(0);
	}
}
