// SPDX-License-Identifier: MIT
// vlist.js - a table of any length of which only the rows in sight exist.
//
// Rows are of one height and taken from a pool, each by its index modulo the pool's size, so
// that a row that stays in sight keeps its element. Browsers bound the height of an element:
// beyond MAX_PX the scrollbar stands for a share of the list instead of pixels.
//
// Keyboard: the scroller has the focus, a row is current (aria-activedescendant).

const MAX_PX = 8e6;
let tables = 0;

export class VList {
	/**
	 * root: element with role "table".
	 * columns: [{title, key, className, sort}], key sorts when `sort`.
	 * create(row) fills a new row element and returns what update() needs;
	 * update(parts, index, row) shows an item; open(index) on Enter or click.
	 */
	constructor(root, { columns, className, create, update, open, sort, empty, scrolled }) {
		this.root = root;
		this.prefix = `row${++tables}`;
		this.columns = columns;
		this.create = create;
		this.update = update;
		this.open = open;
		this.scrolled = scrolled;
		this.count = 0;
		this.current = -1;
		this.pool = [];
		root.classList.add(className);
		this.makeHead(sort);
		this.scroller = document.createElement("div");
		this.scroller.className = "vbody";
		this.scroller.tabIndex = 0;
		this.scroller.setAttribute("role", "rowgroup");
		this.scroller.setAttribute("aria-label", root.getAttribute("aria-label"));
		this.space = document.createElement("div");
		this.space.className = "vspace";
		this.empty = document.createElement("p");
		this.empty.className = "vempty muted";
		this.empty.textContent = empty;
		this.scroller.append(this.space, this.empty);
		root.append(this.scroller);
		this.scroller.addEventListener("scroll", () => this.schedule(), { passive: true });
		this.scroller.addEventListener("keydown", (event) => this.onKey(event));
		this.scroller.addEventListener("click", (event) => this.onClick(event));
		new ResizeObserver(() => this.resize()).observe(this.scroller);
		this.resize();
	}

	makeHead(sort) {
		const head = document.createElement("div");
		head.className = "vrow vhead";
		head.setAttribute("role", "row");
		this.heads = this.columns.map((column) => {
			const cell = document.createElement("div");
			cell.className = `c-${column.key} ${column.className ?? ""}`;
			cell.setAttribute("role", "columnheader");
			if (!sort || column.sort === false) {
				cell.textContent = column.title;
			} else {
				const button = document.createElement("button");
				button.type = "button";
				button.textContent = column.title;
				button.addEventListener("click", () => sort(column.key));
				cell.append(button);
			}
			head.append(cell);
			return cell;
		});
		this.head = head;
		this.root.append(head);
	}

	showSort(key, ascending) {
		this.columns.forEach((column, i) => {
			if (column.key === key)
				this.heads[i].setAttribute("aria-sort", ascending ? "ascending" : "descending");
			else
				this.heads[i].removeAttribute("aria-sort");
		});
	}

	resize() {
		const height = parseFloat(getComputedStyle(this.root).getPropertyValue("--row")) || 30;
		this.rowPx = height;
		this.viewPx = this.scroller.clientHeight;
		const scrollbar = this.scroller.offsetWidth - this.scroller.clientWidth;
		this.head.style.setProperty("--scrollbar", `${scrollbar}px`);
		const wanted = Math.ceil(this.viewPx / height) + 3;
		if (wanted > this.pool.length) {
			for (const row of this.pool)
				row.index = -1;
			while (this.pool.length < wanted)
				this.pool.push(this.makeRow());
		}
		this.setCount(this.count);
	}

	makeRow() {
		const node = document.createElement("div");
		node.className = "vrow";
		node.hidden = true;
		node.setAttribute("role", "row");
		this.space.append(node);
		return { node, parts: this.create(node), index: -1 };
	}

	setCount(count) {
		this.count = count;
		this.heightPx = Math.min(count * this.rowPx, MAX_PX);
		this.space.style.height = `${this.heightPx}px`;
		this.empty.hidden = count > 0;
		this.root.style.setProperty("--count", String(count));
		this.root.setAttribute("aria-rowcount", String(count + 1));
		if (this.current >= count)
			this.current = count - 1;
		this.render();
	}

	/** The index at the upper edge; a fraction. */
	exact() {
		const most = this.heightPx - this.viewPx;
		if (this.count * this.rowPx <= MAX_PX || most <= 0)
			return this.scroller.scrollTop / this.rowPx;
		return this.scroller.scrollTop / most * (this.count - this.viewPx / this.rowPx);
	}

	range() {
		const first = Math.max(0, Math.floor(this.exact()));
		return [first, Math.min(this.count, first + Math.ceil(this.viewPx / this.rowPx) + 1)];
	}

	atTop() {
		return this.scroller.scrollTop < 2;
	}

	schedule() {
		if (this.frame)
			return;
		this.frame = requestAnimationFrame(() => {
			this.frame = 0;
			this.render();
			this.scrolled?.();
		});
	}

	render() {
		const [first, last] = this.range(), exact = this.exact();
		const used = new Set();
		for (let i = first; i < last; i++) {
			const row = this.pool[i % this.pool.length];
			used.add(row);
			row.index = i;
			row.node.hidden = false;
			row.node.style.transform = `translateY(${this.scroller.scrollTop + (i - exact) * this.rowPx}px)`;
			row.node.id = `${this.prefix}-${i}`;
			row.node.setAttribute("aria-rowindex", String(i + 2));
			row.node.classList.toggle("current", i === this.current);
			row.node.classList.toggle("odd", i % 2 === 1);
			this.update(row.parts, i, row.node);
		}
		for (const row of this.pool)
			if (!used.has(row)) {
				row.index = -1;
				row.node.hidden = true;
				row.node.removeAttribute("id");
			}
		if (this.current >= first && this.current < last)
			this.scroller.setAttribute("aria-activedescendant", `${this.prefix}-${this.current}`);
		else
			this.scroller.removeAttribute("aria-activedescendant");
	}

	scrollTo(index) {
		const rows = this.viewPx / this.rowPx, exact = this.exact();
		let target = exact;
		if (index < exact)
			target = index;
		else if (index + 1 > exact + rows)
			target = index + 1 - rows;
		if (target === exact)
			return;
		const scaled = this.count * this.rowPx > MAX_PX;
		this.scroller.scrollTop = scaled ?
			target / (this.count - rows) * (this.heightPx - this.viewPx) : target * this.rowPx;
	}

	onKey(event) {
		const page = Math.max(1, Math.floor(this.viewPx / this.rowPx) - 1);
		const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.count, End: this.count };
		if (event.key === "Enter" && this.current >= 0) {
			this.open?.(this.current);
			event.preventDefault();
		}
		if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey || !this.count)
			return;
		const from = this.current < 0 && steps[event.key] > 0 ? -1 : Math.max(0, this.current);
		this.current = Math.max(0, Math.min(this.count - 1, from + steps[event.key]));
		this.scrollTo(this.current);
		this.render();
		event.preventDefault();
	}

	onClick(event) {
		const row = this.pool.find((r) => r.index >= 0 && r.node.contains(event.target));
		if (!row || getSelection().type === "Range")
			return;
		this.current = row.index;
		this.render();
		this.open?.(row.index);
	}
}
