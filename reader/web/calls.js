// SPDX-License-Identifier: MIT
// calls.js - the list of invocations, newest first, of any length.
//
// The server has it by pages; pages in sight and a few more are kept. While the list stands
// at its top it follows what happens. Scrolled down it stands still: pages of before are
// asked for further back by as many as have come since.

import { clock, count, duration, el, oneLine, setText } from "./format.js";
import { get, oneAtATime } from "./net.js";
import { VList } from "./vlist.js";

const PAGE = 100;
const PAGES_MOST = 40;

const COLUMNS = [
	{ key: "time", title: "Time" },
	{ key: "tick", title: "Tick", className: "num" },
	{ key: "invoker", title: "Invoker" },
	{ key: "what", title: "Artifact" },
	{ key: "method", title: "Method" },
	{ key: "outcome", title: "Outcome" },
	{ key: "took", title: "Took", className: "num" },
	{ key: "message", title: "Message or result" },
];

export class Calls {
	constructor({ root, note, form, open }) {
		this.note = note;
		this.form = form;
		this.artifact = form.querySelector("#by-artifact");
		this.invoker = form.querySelector("#by-invoker");
		this.success = form.querySelector("#by-success");
		this.pages = new Map();
		this.total = 0;
		this.come = 0; // since the list stands still
		this.asked = null;
		this.list = new VList(root, {
			columns: COLUMNS,
			className: "calls",
			empty: "No call is kept that matches.",
			create: (row) => this.create(row),
			update: (parts, i, row) => this.update(parts, this.row(i), row),
			open: (i) => this.row(i) && open(this.row(i)),
			scrolled: () => this.onScroll(),
		});
		let wait;
		const changed = () => {
			clearTimeout(wait);
			wait = setTimeout(() => this.changed(), 150);
		};
		form.addEventListener("input", changed);
		form.addEventListener("reset", () => setTimeout(changed));
		form.addEventListener("submit", (event) => event.preventDefault());
		this.refresh = oneAtATime(() => this.loadTop());
		this.fill = oneAtATime(() => this.loadInSight());
	}

	filters() {
		return { artifact_id: this.artifact.value, invoker_id: this.invoker.value, success: this.success.value };
	}

	filter({ artifact = "", invoker = "", success = "" }) {
		this.artifact.value = artifact;
		this.invoker.value = invoker;
		this.success.value = success;
		this.changed();
	}

	matches(call) {
		const f = this.filters();
		return (!f.artifact_id || f.artifact_id === call.artifact_id) &&
			(!f.invoker_id || f.invoker_id === call.invoker_id) &&
			(!f.success || f.success === String(call.success));
	}

	changed() {
		this.list.scroller.scrollTop = 0;
		this.list.current = -1;
		this.refresh(true);
	}

	follows() {
		return this.list.atTop();
	}

	async loadTop() {
		const asked = JSON.stringify(this.filters());
		const { rows, total } = await get("/api/invocations", { ...this.filters(), limit: PAGE });
		if (asked !== JSON.stringify(this.filters()))
			return;
		if (!this.follows() && asked === this.asked) {
			this.come = Math.max(0, total - this.total);
			this.say();
			return;
		}
		this.asked = asked;
		this.come = 0;
		this.total = total;
		this.pages.clear();
		this.pages.set(0, rows);
		this.list.setCount(total);
		this.say();
	}

	say() {
		const what = Object.values(this.filters()).some((f) => f) ? "match" : "kept";
		setText(this.note, this.follows() ? `${count(this.total)} ${what}` :
			`${count(this.total)} ${what}; stands still while it is scrolled` + (this.come ? `, ${count(this.come)} new above` : ""));
	}

	row(index) {
		return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
	}

	onScroll() {
		if (this.follows() && this.come)
			this.refresh();
		clearTimeout(this.wait);
		this.wait = setTimeout(() => this.fill(), 60);
		this.say();
	}

	async loadInSight() {
		const [first, last] = this.list.range();
		for (let page = Math.floor(first / PAGE); page <= Math.floor(Math.max(first, last - 1) / PAGE); page++) {
			if (this.pages.has(page))
				continue;
			const asked = JSON.stringify(this.filters());
			const { rows, total } = await get("/api/invocations", { ...this.filters(), limit: PAGE, offset: page * PAGE + this.come });
			if (asked !== JSON.stringify(this.filters()))
				return;
			this.come = Math.max(0, total - this.total);
			this.pages.delete(page);
			this.pages.set(page, rows);
			for (const old of this.pages.keys())
				if (this.pages.size > PAGES_MOST)
					this.pages.delete(old);
			this.list.render();
		}
	}

	create(row) {
		const parts = {};
		for (const column of COLUMNS) {
			parts[column.key] = el("div", `c-${column.key} ${column.className ?? ""}`);
			parts[column.key].setAttribute("role", "cell");
			row.append(parts[column.key]);
		}
		parts.mark = el("span", "mark");
		parts.outcome.append(parts.mark);
		return parts;
	}

	update(parts, call, row) {
		row.classList.toggle("failed", call ? !call.success : false);
		setText(parts.time, call ? clock(call.timestamp) : "…");
		setText(parts.tick, call ? String(call.tick) : "");
		setText(parts.invoker, call ? oneLine(call.invoker_id) : "");
		setText(parts.what, call ? oneLine(call.artifact_id) : "");
		setText(parts.method, call ? oneLine(call.method) : "");
		setText(parts.mark, call ? (call.success ? "ok" : oneLine(call.error_type ?? "failed")) : "");
		parts.mark.classList.toggle("bad", call ? !call.success : false);
		setText(parts.took, call ? duration(call.duration_ms) : "");
		setText(parts.message, call ? oneLine(call.success ? call.result_type ?? "" : call.error_message ?? "") : "");
		if (!call && !this.wait)
			this.wait = setTimeout(() => this.fill(), 60);
	}

	forget() {
		this.pages.clear();
		this.total = this.come = 0;
		this.list.setCount(0);
	}
}
