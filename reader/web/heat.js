// SPDX-License-Identifier: MIT
// heat.js - invokers by artifacts, shaded by how much: a table of at most ROWS_MOST by
// COLUMNS_MOST cells, the busiest ones. Its cells are made anew only when its names change.

import { count, duration, el, oneLine, percent, setText, byId } from "./format.js";
import { get, oneAtATime } from "./net.js";

const EDGES_MOST = 1000;
const ROWS_MOST = 30;
const COLUMNS_MOST = 24;

const BY = {
	calls: { of: (e) => e.calls, log: true },
	failures: { of: (e) => e.failures, log: true },
	rate: { of: (e) => e.failures / e.calls, log: false },
	time: { of: (e) => e.avg_duration_ms, log: true },
};

export class Heat {
	constructor({ root, note, select, choose }) {
		this.root = root;
		this.note = note;
		this.select = select;
		this.choose = choose;
		this.shape = "";
		this.at = null; // [row, column] that the keyboard is at
		this.edges = [];
		this.total = 0;
		this.where = el("p", "heat-where muted");
		this.where.setAttribute("aria-live", "polite");
		root.after(this.where);
		this.say(null);
		select.addEventListener("change", () => this.draw());
		root.addEventListener("keydown", (event) => this.onKey(event));
		root.addEventListener("click", (event) => this.act(event.target.closest("td")));
		root.addEventListener("pointerover", (event) => this.say(event.target.closest("td")));
		this.refresh = oneAtATime(() => this.load());
	}

	async load() {
		const { rows, total } = await get("/api/graph", { limit: EDGES_MOST });
		this.edges = rows.edges;
		this.total = total;
		this.draw();
	}

	/** The busiest names of one side. */
	busiest(side, most) {
		const sums = new Map();
		for (const e of this.edges)
			sums.set(e[side], (sums.get(e[side]) ?? 0) + e.calls);
		const names = [...sums].sort((a, b) => b[1] - a[1]).map(([name]) => name);
		return { names: names.slice(0, most), all: names.length };
	}

	draw() {
		const rows = this.busiest("from", ROWS_MOST), columns = this.busiest("to", COLUMNS_MOST);
		const r = rows.names.slice().sort(), c = columns.names.slice().sort();
		const shape = JSON.stringify([r, c]);
		if (shape !== this.shape) {
			this.shape = shape;
			this.make(r, c);
		}
		this.shade();
		const more = rows.all > r.length || columns.all > c.length || this.total > this.edges.length;
		setText(this.note, `${count(this.total)} pairs` + (more ? `; the busiest ${r.length} invokers and ${c.length} artifacts` : ""));
	}

	make(rows, columns) {
		const table = el("table"), head = el("thead"), body = el("tbody"), top = el("tr");
		top.append(el("td", "corner"));
		for (const name of columns) {
			const th = el("th");
			th.scope = "col";
			th.title = name;
			th.append(el("span", "", oneLine(name)));
			top.append(th);
		}
		head.append(top);
		this.cells = rows.map((from, r) => {
			const tr = el("tr"), th = el("th", "", oneLine(from));
			th.scope = "row";
			th.title = from;
			tr.append(th);
			const cells = columns.map((to, c) => {
				const td = el("td");
				td.id = `heat-${r}-${c}`;
				td.pair = { from, to, edge: null };
				tr.append(td);
				return td;
			});
			body.append(tr);
			return cells;
		});
		table.append(head, body);
		this.root.replaceChildren(...(rows.length ? [table] : [el("p", "vempty muted", "No calls yet.")]));
		this.at = null;
	}

	shade() {
		const by = BY[this.select.value];
		const known = new Map(this.edges.map((e) => [JSON.stringify([e.from, e.to]), e]));
		const most = Math.max(0, ...this.edges.map(by.of));
		this.root.classList.toggle("as-bad", this.select.value !== "calls" && this.select.value !== "time");
		for (const td of this.cells?.flat() ?? []) {
			const edge = known.get(JSON.stringify([td.pair.from, td.pair.to])) ?? null;
			td.pair.edge = edge;
			const v = edge ? by.of(edge) : 0;
			let share = most > 0 ? v / most : 0;
			if (by.log && v > 0)
				share = 0.12 + 0.88 * Math.max(0, 1 + Math.log10(share) / 3);
			td.style.setProperty("--heat", `${Math.round(100 * Math.min(1, share))}%`);
			td.classList.toggle("deep", share > 0.6);
			setText(td, edge ? (edge.calls > 9999 ? `${Math.round(edge.calls / 1000)}k` : String(edge.calls)) : "");
		}
	}

	say(td) {
		const e = td?.pair?.edge;
		setText(this.where, e ?
			`${oneLine(e.from)} → ${oneLine(e.to)}: ${count(e.calls)} calls, ${count(e.failures)} failed (${percent(e.failures / e.calls)}), ${duration(e.avg_duration_ms)} on average` :
			"Numbers are calls. Point at a cell, or move by the arrow keys; Enter lists its invocations.");
	}

	act(td) {
		if (td?.pair?.edge)
			this.choose(td.pair.edge);
	}

	onKey(event) {
		const steps = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
		if (!this.cells?.length || event.ctrlKey || event.altKey || event.metaKey)
			return;
		if (event.key === "Enter" && this.at)
			this.act(this.cells[this.at[0]][this.at[1]]);
		if (!(event.key in steps))
			return;
		event.preventDefault();
		const [dr, dc] = this.at ? steps[event.key] : [0, 0];
		const [r, c] = this.at ?? [0, 0];
		if (this.at)
			this.cells[r][c].classList.remove("current");
		this.at = [Math.max(0, Math.min(this.cells.length - 1, r + dr)),
			Math.max(0, Math.min(this.cells[0].length - 1, c + dc))];
		const td = this.cells[this.at[0]][this.at[1]];
		td.classList.add("current");
		td.scrollIntoView({ block: "nearest", inline: "nearest" });
		this.root.setAttribute("aria-activedescendant", td.id);
		this.say(td);
	}

	forget() {
		this.edges = [];
		this.total = 0;
		this.draw();
	}
}

/** Names for the filters' lists of suggestions. */
export function suggest(edges) {
	const fill = (id, names) => {
		const list = byId(id), wanted = [...new Set(names)].slice(0, 300).sort();
		if (list.children.length === wanted.length && wanted.every((n, i) => list.children[i].value === n))
			return;
		list.replaceChildren(...wanted.map((name) => {
			const option = document.createElement("option");
			option.value = name;
			return option;
		}));
	};
	fill("artifact-names", edges.map((e) => e.to));
	fill("invoker-names", edges.map((e) => e.from));
}
