// SPDX-License-Identifier: MIT
// format.js - numbers and durations as a person reads them, and elements.
//
// Texts of the observed program are bytes of anyone: they enter the page as text nodes alone.
// No module of this page uses innerHTML or its relatives.

export function el(tag, className, text) {
	const node = document.createElement(tag);
	if (className)
		node.className = className;
	if (text !== undefined)
		node.textContent = text;
	return node;
}

export const byId = (id) => document.getElementById(id);

/** Only when it differs: an unchanged text node costs no layout. */
export function setText(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

const grouped = new Intl.NumberFormat("en-US");
export const count = (n) => grouped.format(n);

export function rate(n) {
	if (!isFinite(n))
		return "–";
	return n > 0 && n < 9.95 ? n.toFixed(1) : grouped.format(Math.round(n));
}

/** 12345678 -> "12.3M" */
export function short(n) {
	for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]])
		if (n >= size)
			return `${Number((n / size).toPrecision(3))}${unit}`;
	return String(Math.round(n * 10) / 10);
}

export function percent(share) {
	const p = share * 100;
	// Never "100 %" of what has failures.
	if (p > 99.95 && p < 100)
		return "99.9%";
	return `${p.toFixed(1)}%`;
}

export function duration(ms) {
	if (ms === null || ms === undefined || !isFinite(ms))
		return "–";
	for (const [size, unit] of [[1000, "s"], [1, "ms"], [1e-3, "µs"]])
		if (ms >= size * 0.9995) {
			const v = ms / size;
			return `${v < 9.995 ? v.toFixed(2) : v < 99.95 ? v.toFixed(1) : v.toFixed(0)} ${unit}`;
		}
	return `${Math.max(0, ms * 1e6).toFixed(0)} ns`;
}

export function age(ms) {
	if (ms < 60000)
		return duration(ms);
	const s = Math.floor(ms / 1000);
	return s < 3600 ? `${Math.floor(s / 60)} min ${s % 60} s` :
		`${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
}

export function bytes(n) {
	return n >= 1 << 20 ? `${(n / (1 << 20)).toFixed(1)} MB` : `${(n / 1024).toFixed(0)} kB`;
}

/** "12:34:56.789", of a timestamp in UTC, in the time of the viewer. */
export function clock(timestamp) {
	const t = new Date(timestamp);
	if (isNaN(t))
		return timestamp;
	const two = (n) => String(n).padStart(2, "0");
	return `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}.` +
		String(t.getMilliseconds()).padStart(3, "0");
}

/** An id or a message for one line: what controls or turns the direction of text is shown as a mark. */
export function oneLine(text) {
	return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, "\ufffd");
}

/** fraction in [0, 1] of numbers in order. */
export function percentile(sorted, fraction) {
	if (sorted.length === 0)
		return null;
	return sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))];
}
