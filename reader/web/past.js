// SPDX-License-Identifier: MIT
// past.js - what happened before the page was opened.
//
// Calls of each second are a question that the server answers (/api/series), exactly where it
// watched. Of more seconds than it knows, and of latencies, only the calls that are kept tell:
// their list is in order of time, so the call at offset n tells when n calls were still to
// come. Some forty of them, far apart, give the rate over the whole time, whether a thousand or
// a million are kept; the calls next to each give the percentiles.

import { percentile } from "./format.js";
import { get, pool } from "./net.js";

const SERIES_MOST = 900; // seconds
const PROBES = 40;
const SAMPLE = 50; // calls of each probe
const POINTS = 90; // of the chart, at most one a second
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
		points.push([seconds(page.rows[0]), page.total - offset]); // more may have come since
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

/** Samples that are less than a step apart are one. */
function percentiles(samples, first, step) {
	const rows = [];
	let at = first, some = [];
	const end = () => {
		some.sort((a, b) => a - b);
		if (some.length)
			rows.push([at, percentile(some, 0.5), percentile(some, 0.9), percentile(some, 0.99)]);
		some = [];
	};
	for (const [t, durations] of samples) {
		if (t < first)
			continue;
		if (t >= at + step) {
			end();
			at = t;
		}
		some.push(...durations);
	}
	end();
	return rows;
}

/** [{at, calls, failures, exact}...], a second each; at: when it ends. */
export async function series(most, artifact) {
	const { rows } = await get("/api/series", { seconds: Math.min(most, SERIES_MOST), artifact_id: artifact });
	return rows.map((p) => ({ at: Date.parse(p.timestamp) / 1000 + 1, calls: p.calls, failures: p.failures, exact: p.from === "tallies" }));
}

/** A rate at the end of each second; the first holds from its beginning on. */
function rowsOf(points) {
	const rows = points.map((p) => [p.at, p.calls, p.failures]);
	if (rows.length)
		rows.unshift([rows[0][0] - 1, rows[0][1], rows[0][2]]);
	return rows;
}

/** The rates of all that is kept, in steps of more than a second. */
async function coarse(all, first, step, count) {
	const failed = await cumulate({ success: "false" });
	const rows = [];
	for (let i = 1; i <= count && step > 0; i++) {
		const t = first + i * step;
		rows.push([t, (until(all.points, t) - until(all.points, t - step)) / step,
			(until(failed.points, t) - until(failed.points, t - step)) / step]);
	}
	return rows;
}

/** Rows for the two charts, of the last `most` seconds; exact: from when on they are, or null. */
export async function past(most) {
	const [points, all] = await Promise.all([series(most), cumulate({})]);
	const known = points.find((p) => p.exact);
	const answer = { rates: rowsOf(points), latencies: [], exact: known ? known.at - 1 : null, whole: points.every((p) => p.exact) };
	if (all.points.length < 2)
		return answer;
	const last = all.points[all.points.length - 1][0];
	const first = Math.max(all.points[0][0], last - most);
	const count = Math.max(1, Math.min(POINTS, Math.floor(last - first)));
	const step = (last - first) / count;
	answer.latencies = percentiles(all.samples, first, step);
	if (most > SERIES_MOST && points.length && first < points[0].at - 2)
		Object.assign(answer, { rates: await coarse(all, first, step, count), exact: null, whole: false });
	return answer;
}
