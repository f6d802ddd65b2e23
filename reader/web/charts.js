// SPDX-License-Identifier: MIT
// charts.js - what is drawn by uPlot (vendor/): two charts over time, and sparklines.
//
// Samples are kept here, at most SAMPLES_MOST of them; a chart is drawn anew at most once a
// frame. Colours are those of the style sheet, read again when the theme changes.

import { duration, rate, short } from "./format.js";

const SAMPLES_MOST = 900;
const SYNC = "invreg";

const probe = document.createElement("span");
probe.hidden = true;
document.documentElement.append(probe);

/** A custom property of the style sheet as a colour that a canvas knows. */
export function color(name) {
	probe.style.color = `var(--${name})`;
	return getComputedStyle(probe).color;
}

function fade(rgb, alpha) {
	return rgb.replace("rgb(", "rgba(").replace(")", `, ${alpha})`);
}

const axis = (extra) => ({
	stroke: color("muted"),
	grid: { stroke: color("line"), width: 1 },
	ticks: { stroke: color("line"), width: 1, size: 4 },
	font: "11px system-ui, sans-serif",
	...extra,
});

class TimeChart {
	constructor(root, make, empty) {
		this.root = root;
		this.make = make;
		this.rows = [];
		this.note = document.createElement("p");
		this.note.className = "vempty muted";
		this.note.textContent = empty;
		root.append(this.note);
		new ResizeObserver(() => this.resize()).observe(root);
	}

	size() {
		return { width: Math.max(120, this.root.clientWidth), height: 210 };
	}

	resize() {
		this.plot?.setSize(this.size());
	}

	restyle() {
		this.plot?.destroy();
		this.plot = null;
		this.draw();
	}

	/** rows: [[seconds, value...]], in order of time. */
	reset(rows) {
		this.rows = rows.slice(-SAMPLES_MOST);
		this.draw();
	}

	add(row) {
		const last = this.rows[this.rows.length - 1];
		if (last && row[0] <= last[0])
			return;
		this.rows.push(row);
		if (this.rows.length > SAMPLES_MOST)
			this.rows.shift();
		if (!this.frame)
			this.frame = requestAnimationFrame(() => {
				this.frame = 0;
				this.draw();
			});
	}

	draw() {
		this.note.hidden = this.rows.length > 1;
		if (this.rows.length < 2) {
			this.plot?.destroy();
			this.plot = null;
			return;
		}
		const data = this.rows[0].map((_, column) => this.rows.map((row) => row[column]));
		if (this.plot)
			this.plot.setData(data);
		else
			this.plot = new uPlot({ padding: [10, 30, 0, 0], ...this.size(), ...this.make() }, data, this.root);
	}
}

const two = (n) => String(n).padStart(2, "0");

function hours(t, withSeconds) {
	const d = new Date(t * 1000);
	return `${two(d.getHours())}:${two(d.getMinutes())}${withSeconds ? `:${two(d.getSeconds())}` : ""}`;
}

/** Hours and minutes; seconds where the ticks are so near. */
const timeAxis = () => axis({
	space: 70,
	size: 32,
	values: (_, ticks, __, ___, step) => ticks.map((t) => step < 1 ? hours(t, true) + (t % 1).toFixed(1).slice(1) : hours(t, step < 60)),
});

/** On a scale of powers only those of ten have room for a label. */
function powers(_, ticks) {
	return ticks.map((v) => v && Math.abs(Math.log10(v) % 1) < 1e-9 ? duration(v).replace(/\.0+(?= )/, "") : "");
}

const time = { label: "time", value: (_, v) => v === null || v === undefined ? "–" : hours(v, true) };
const cursor = { sync: { key: SYNC }, points: { size: 6 }, drag: { x: true, y: false } };
const value = (format) => (_, v) => v === null || v === undefined ? "–" : format(v);

export function rateChart(root) {
	return new TimeChart(root, () => ({
		cursor,
		scales: { y: { range: (_, low, high) => [0, Math.max(1, high * 1.08)] } },
		axes: [timeAxis(), axis({ size: 52, values: (_, ticks) => ticks.map(short) })],
		series: [
			time,
			{ label: "calls/s", stroke: color("accent"), width: 1.5, fill: fade(color("accent"), 0.12), points: { show: false }, value: value(rate) },
			{ label: "failures/s", stroke: color("bad"), width: 1.5, fill: fade(color("bad"), 0.18), points: { show: false }, value: value(rate) },
		],
	}), "No calls yet.");
}

export function latencyChart(root) {
	const line = (label, name) => ({ label, stroke: color(name), width: 1.5, points: { show: false }, value: value(duration) });
	return new TimeChart(root, () => ({
		cursor,
		scales: { y: { distr: 3, log: 10 } },
		axes: [timeAxis(), axis({ size: 62, values: powers })],
		series: [time,
			line("p50", "good"), line("p90", "warn"), line("p99", "bad")],
	}), "No calls yet.");
}

/** Calls per second of one artifact, as small as a word. */
export class Sparkline {
	constructor(root) {
		this.root = root;
	}

	/** points: [[seconds, calls per second]...] in order of time. */
	set(points) {
		const xs = points.map((p) => p[0]), values = points.map((p) => p[1]);
		if (this.plot) {
			this.plot.setData([xs, values]);
			return;
		}
		this.plot = new uPlot({
			width: 110, height: 22, pxAlign: false,
			padding: [2, 1, 1, 1],
			cursor: { show: false }, legend: { show: false }, select: { show: false },
			axes: [{ show: false }, { show: false }],
			scales: { x: { time: false }, y: { range: (_, low, high) => [0, Math.max(high, 1e-9) * 1.05] } },
			series: [{}, { stroke: color("accent"), width: 1.25, fill: fade(color("accent"), 0.15), points: { show: false } }],
		}, [xs, values], this.root);
	}

	restyle() {
		this.plot?.destroy();
		this.plot = null;
	}
}
