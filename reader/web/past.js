// SPDX-License-Identifier: MIT
// past.js - what happened before the page was opened, from the calls that are kept.
//
// The list of calls is in order of time, so the call at offset n tells when n calls were
// still to come: some forty of them, far apart, give the rate over the whole time, whether a
// thousand or a million are kept. The calls next to each give the percentiles.

import { percentile } from "./format.js";
import { get, pool } from "./net.js";

const PROBES = 40;
const SAMPLE = 50; // calls of each probe
const POINTS = 90; // of the chart
const WIDTH = 4; // requests at a time

const seconds = (call) => Date.parse(call.timestamp) / 1000;

/** [[seconds, calls until then]...] in order of time, and the samples. */
async function cumulate(filter) {
	const { rows, total } = await get("/api/invocations", { ...filter, limit: 1 });
	if (rows.length === 0)
		return { points: [], samples: [] };
	const offsets = new Set();
	for (let i = 0; i <= PROBES; i++)
		offsets.add(Math.round((total - 1) * i / PROBES));
	const points = [], samples = [];
	await pool([...offsets].map((offset) => async () => {
		const page = await get("/api/invocations", { ...filter, offset, limit: SAMPLE });
		if (page.rows.length === 0)
			return;
		points.push([seconds(page.rows[0]), total - offset]);
		samples.push([seconds(page.rows[0]), page.rows.map((c) => c.duration_ms).sort((a, b) => a - b)]);
	}), WIDTH);
	points.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
	samples.sort((a, b) => a[0] - b[0]);
	return { points, samples };
}

/** Calls until `at`, between the points that are known. */
function until(points, at) {
	if (points.length === 0 || at < points[0][0])
		return 0;
	for (let i = 1; i < points.length; i++) {
		const [t0, n0] = points[i - 1], [t1, n1] = points[i];
		if (at <= t1)
			return t1 > t0 ? n0 + (n1 - n0) * (at - t0) / (t1 - t0) : n1;
	}
	return points[points.length - 1][1];
}

/** Rows for the two charts; of the last `most` seconds. */
export async function past(most) {
	const all = await cumulate({});
	if (all.points.length < 2)
		return { rates: [], latencies: [] };
	const failed = await cumulate({ success: "false" });
	const last = all.points[all.points.length - 1][0];
	const first = Math.max(all.points[0][0], last - most);
	const step = (last - first) / POINTS;
	const rates = [];
	for (let i = 1; i <= POINTS && step > 0; i++) {
		const t = first + i * step;
		rates.push([t, (until(all.points, t) - until(all.points, t - step)) / step,
			(until(failed.points, t) - until(failed.points, t - step)) / step]);
	}
	const latencies = all.samples.filter(([t], i) => t >= first && (i === 0 || t > all.samples[i - 1][0]))
		.map(([t, sorted]) => [t, percentile(sorted, 0.5), percentile(sorted, 0.9), percentile(sorted, 0.99)]);
	return { rates, latencies };
}
