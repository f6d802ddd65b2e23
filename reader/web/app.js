// SPDX-License-Identifier: MIT
// app.js - the page: what is asked for when, and what stands above the tables.
//
// A status comes by the stream, at most one a second and only when there is something new;
// it is what makes the lists be asked for again. So a session that stands still costs no
// request, and a busy one no more than a slow one. Nothing is asked for while the page is
// paused or out of sight.

import { Artifacts } from "./artifacts.js";
import { Calls } from "./calls.js";
import { latencyChart, rateChart } from "./charts.js";
import { showArtifact, showCall } from "./detail.js";
import { age, byId, bytes, count, duration, el, oneLine, percent, percentile, rate, setText } from "./format.js";
import { Heat, suggest } from "./heat.js";
import { get, oneAtATime, Stream } from "./net.js";
import { past } from "./past.js";
import { VList } from "./vlist.js";

const TICK_MS = 1000;
const SLOW_TICKS = 4; // what changes slowly is asked for at every fourth
const BUSY = 400; // calls/s from which on they are not streamed
const CALM = 250;
const PAST_SECONDS = 600;
const SAMPLE = 500;
const AWAY_MS = 2000; // so long without a stream is a gap in the charts

const state = { status: null, before: null, dirty: true, paused: false, ticks: 0, latencies: [], rateNow: 0 };

// ---- charts ---------------------------------------------------------------------------

const rates = rateChart(byId("chart-rate"));
const latencies = latencyChart(byId("chart-latency"));

function addRate(now) {
	const before = state.before;
	state.before = now;
	if (!before || now.session !== before.session || now.total_invocations < before.total_invocations)
		return;
	const t = Date.parse(now.taken) / 1000, over = t - Date.parse(before.taken) / 1000;
	if (over <= 0)
		return;
	state.rateNow = (now.total_invocations - before.total_invocations) / over;
	state.failedNow = (now.failed - before.failed) / over;
	rates.add([t, state.rateNow, state.failedNow]);
}

/** Nothing new for a while: nothing is called. */
function addSilence() {
	if (state.status?.state !== "live" || !state.before || performance.now() - state.statusAt < 2500)
		return;
	state.rateNow = state.failedNow = 0;
	const t = Date.parse(state.before.taken) / 1000 + (performance.now() - state.statusAt) / 1000;
	rates.add([t, 0, 0]);
	artifacts.still(true);
	state.before = { ...state.before, taken: new Date(t * 1000).toISOString() };
	showCards();
}

function addLatencies() {
	const sorted = state.latencies.sort((a, b) => a - b);
	state.latencies = [];
	if (sorted.length && state.before)
		latencies.add([Date.parse(state.before.taken) / 1000, percentile(sorted, 0.5), percentile(sorted, 0.9), percentile(sorted, 0.99)]);
}

// While calls are not streamed: those that came last stand for the second.
const sampleLatencies = oneAtATime(async () => {
	const { rows } = await get("/api/invocations", { limit: SAMPLE });
	const since = Date.now() - 5000;
	state.latencies = rows.filter((c) => Date.parse(c.timestamp) > since).map((c) => c.duration_ms);
	addLatencies();
});

function rateNote({ exact, whole }) {
	if (exact === null)
		return state.status?.state === "live" ? "exact from now on" : "of kept events";
	return whole ? "exact" : `exact since ${new Date(exact * 1000).toLocaleTimeString()}; before, of kept events`;
}

const loadPast = oneAtATime(async () => {
	const shown = state.status?.state === "live" ? PAST_SECONDS : Infinity;
	const before = await past(shown);
	const last = before.rates.length ? before.rates[before.rates.length - 1][0] : -Infinity;
	rates.reset([...before.rates, ...rates.rows.filter((r) => r[0] > last)]);
	const first = latencies.rows.length ? latencies.rows[0][0] : Infinity;
	latencies.reset([...before.latencies.filter((r) => r[0] < first), ...latencies.rows]);
	setText(byId("rate-note"), rateNote(before));
	setText(byId("latency-note"), "of events, all artifacts");
});

// ---- tables ---------------------------------------------------------------------------

const calls = new Calls({
	root: byId("call-table"), note: byId("calls-note"), form: byId("filters"),
	open: (call) => showCall(call, filterCalls),
});

function filterCalls(filter) {
	calls.filter(filter);
	byId("invocations").scrollIntoView({ block: "start" });
	calls.list.scroller.focus({ preventScroll: true });
}

const artifacts = new Artifacts({
	root: byId("artifact-table"), note: byId("artifacts-note"), search: byId("search"), sort: byId("sort"),
	open: (a) => showArtifact(a, filterCalls),
	moves: () => state.status?.state === "live",
});

const heat = new Heat({
	root: byId("heat"), note: byId("heat-note"), select: byId("heat-by"),
	choose: (edge) => filterCalls({ artifact: edge.to, invoker: edge.from }),
});

// ---- in flight ------------------------------------------------------------------------

const OPEN_COLUMNS = [
	{ key: "age", title: "Age", className: "num" },
	{ key: "invoker", title: "Invoker" },
	{ key: "what", title: "Artifact" },
	{ key: "method", title: "Method" },
	{ key: "tick", title: "Tick", className: "num" },
	{ key: "pid", title: "Process", className: "num" },
];
const open = { rows: [], at: 0 };

const openList = new VList(byId("open-list"), {
	columns: OPEN_COLUMNS,
	className: "open",
	empty: "Nothing is running inside an artifact.",
	create: (row) => {
		const parts = {};
		for (const column of OPEN_COLUMNS) {
			parts[column.key] = el("div", `c-${column.key} ${column.className ?? ""}`);
			parts[column.key].setAttribute("role", "cell");
			row.append(parts[column.key]);
		}
		return parts;
	},
	update: (parts, i) => {
		const call = open.rows[i];
		const older = state.status?.state === "live" ? performance.now() - open.at : 0;
		setText(parts.age, age(call.age_ms + older));
		parts.age.classList.toggle("bad-text", call.age_ms + older > 10000);
		setText(parts.invoker, oneLine(call.invoker_id));
		setText(parts.what, oneLine(call.artifact_id));
		setText(parts.method, oneLine(call.method));
		setText(parts.tick, String(call.tick));
		setText(parts.pid, `${call.pid}${call.process === "unknown" ? "?" : ""}`);
	},
	open: (i) => filterCalls({ artifact: open.rows[i].artifact_id, invoker: open.rows[i].invoker_id }),
});

const loadOpen = oneAtATime(async () => {
	const { rows, total } = await get("/api/inflight", { limit: 1000 });
	open.rows = rows;
	open.at = performance.now();
	openList.setCount(rows.length);
	setText(byId("open-note"), total > rows.length ? `the oldest ${count(rows.length)} of ${count(total)}` : count(total));
	setText(byId("card-oldest"), rows.length ? `oldest ${age(rows[0].age_ms)}` : "");
});

// ---- failures by type --------------------------------------------------------------------

const loadErrors = oneAtATime(async () => {
	const { rows, total } = await get("/api/errors", { sort: "failed", limit: 12 });
	const most = Math.max(1, ...rows.map((r) => r.count));
	byId("errors").replaceChildren(...rows.map((r) => {
		const item = el("li"), bar = el("span", "bar wide bad"), fill = el("span");
		fill.style.width = `${100 * r.count / most}%`;
		bar.append(fill);
		item.append(el("span", "name", oneLine(r.error_type)), bar, el("span", "num", count(r.count)), el("span", "num muted", `p50 ${duration(r.p50_ms)}`));
		return item;
	}));
	setText(byId("errors-note"), total > rows.length ? `${rows.length} of ${count(total)} types` : total ? `${total} types` : "none");
});

// ---- head ---------------------------------------------------------------------------------

function showCards() {
	const s = state.status;
	if (!s)
		return;
	setText(byId("session"), oneLine(s.session) || "no session yet");
	setText(byId("state"), s.state);
	byId("state").className = `pill ${s.state}`;
	document.title = `${oneLine(s.session) || "invreg"} · invreg`;
	setText(byId("card-calls"), count(s.total_invocations));
	setText(byId("card-failed"), count(s.failed));
	setText(byId("card-success"), s.total_invocations ? percent(s.success_rate) : "–");
	byId("card-bar").style.width = `${s.success_rate * 100}%`;
	setText(byId("card-open"), count(s.in_flight));
	const live = s.state === "live" && rates.rows.length > 0;
	setText(byId("card-rate"), live ? `${rate(state.rateNow)} a second` : "");
	setText(byId("card-failed-rate"), live ? `${rate(state.failedNow ?? 0)} a second` : "");
}

function putLosses(section, list, rows) {
	section.hidden = rows.length === 0;
	const text = JSON.stringify(rows);
	if (section.shown === text)
		return;
	section.shown = text;
	list.replaceChildren(...rows.map((r) => {
		const item = el("li");
		item.append(el("b", "", `${count(r.count)} ${r.reason}`), `: ${r.text}`);
		return item;
	}));
}

function showLosses(s) {
	const events = s.lost.filter((l) => l.events), rest = s.lost.filter((l) => !l.events);
	const sum = events.reduce((n, l) => n + l.count, 0);
	setText(byId("losses-head"), `${count(sum)} events were lost.` + (s.from === "tallies" ? " Totals are exact all the same." : ""));
	putLosses(byId("losses"), byId("losses-list"), events);
	putLosses(byId("less"), byId("less-list"), rest);
}

const loadStatus = oneAtATime(async () => {
	const { rows: s } = await get("/api/status");
	setStatus(s);
	showLosses(s);
	setText(byId("command"), oneLine(s.command));
	byId("command").title = s.command;
	const { cost_ns_per_call: cost, cost_ms: all, reserved_bytes: memory } = s.shim;
	setText(byId("card-cost"), cost > 0 ? duration(cost / 1e6) : memory ? bytes(memory) : "–");
	setText(byId("card-cost-all"), cost > 0 ? `a call, ${duration(all)} in all, ${bytes(memory)}` : "of memory");
	setText(byId("foot"), `${oneLine(s.source)} · ${count(s.events.served)} events kept here, at most ${count(s.events.served_at_most)} · percentiles to a bucket ${s.bucket_width_percent} % wide` +
		(s.from === "events" ? " · totals from events: what was lost is missing" : ""));
});

const loadCounts = oneAtATime(async () => {
	const [a, i] = await Promise.all([get("/api/artifacts", { limit: 1 }), get("/api/invokers", { limit: 1 })]);
	setText(byId("card-artifacts"), count(a.total));
	setText(byId("card-invokers"), `${count(i.total)} invokers`);
});

// ---- what happens --------------------------------------------------------------------------

/** After a time in which nothing was asked for: what happened meanwhile is the server's to tell. */
function catchUp() {
	state.before = null;
	state.dirty = true;
	artifacts.catchUp();
	loadPast();
}

function setStatus(status) {
	const ended = state.status?.state === "live" && status.state !== "live";
	state.status = status;
	if (ended)
		artifacts.refresh().then(() => artifacts.still(false));
	showCards();
}

const stream = new Stream({
	link: (text) => {
		setText(byId("link"), text);
		byId("link").className = text === "connected" ? "link on" : "link";
		if (text !== "connected")
			state.awaySince ??= performance.now();
		else if (performance.now() - (state.awaySince ?? Infinity) > AWAY_MS)
			catchUp();
		else
			state.dirty = true;
		if (text === "connected")
			state.awaySince = null;
	},
	status: (status) => {
		state.dirty = true;
		state.statusAt = performance.now();
		if (state.paused)
			return;
		addRate(status);
		if (stream.withCalls)
			addLatencies();
		setStatus(status);
		if (state.rateNow > BUSY)
			stream.calls(false);
		else if (state.rateNow < CALM)
			stream.calls(true);
	},
	invocation: (call) => {
		state.dirty = true;
		if (state.latencies.length < 5000)
			state.latencies.push(call.duration_ms);
	},
	skipped: () => {
		state.dirty = true;
	},
	reset: () => {
		state.before = null;
		state.latencies = [];
		artifacts.forget();
		calls.forget();
		heat.forget();
		rates.reset([]);
		latencies.reset([]);
		state.dirty = true;
		state.ticks = 0;
		loadPast();
	},
});

function refresh(everything) {
	artifacts.refresh();
	loadOpen();
	calls.refresh();
	if (!stream.withCalls)
		sampleLatencies();
	if (!everything)
		return;
	loadStatus();
	loadErrors();
	loadCounts();
	heat.refresh().then(() => suggest(heat.edges));
}

function tick() {
	if (state.paused || document.hidden)
		return;
	addSilence();
	openList.render();
	if (!state.dirty && state.ticks % SLOW_TICKS !== 0)
		return;
	// What slow lists have missed since is asked for at the next fourth tick.
	const slow = state.ticks++ % SLOW_TICKS === 0;
	const was = state.dirty || state.owed;
	state.owed = state.dirty && !slow;
	state.dirty = false;
	if (was)
		refresh(slow);
}

// ---- keys and buttons -----------------------------------------------------------------------

function pause() {
	state.paused = !state.paused;
	byId("pause").setAttribute("aria-pressed", String(state.paused));
	setText(byId("pause"), state.paused ? "Go on" : "Pause");
	document.body.classList.toggle("paused", state.paused);
	if (!state.paused)
		catchUp();
}

function restyle() {
	rates.restyle();
	latencies.restyle();
	artifacts.restyle();
}

function stored(write) {
	try {
		if (write)
			localStorage.setItem("theme", write);
		return localStorage.getItem("theme");
	} catch {
		return null; // a browser that keeps nothing
	}
}

function theme() {
	const root = document.documentElement;
	const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
	root.dataset.theme = dark ? "light" : "dark";
	stored(root.dataset.theme);
	restyle();
}

const KEYS = {
	"/": () => byId("search").focus(),
	f: () => byId("by-artifact").focus(),
	p: pause,
	t: theme,
	"?": () => byId("help").showModal(),
};

function onKey(event) {
	const typing = event.target.closest?.("input, select, textarea, dialog");
	if (event.key === "Escape" && event.target.matches?.("input"))
		event.target.blur();
	if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS))
		return;
	event.preventDefault();
	KEYS[event.key]();
}

if (stored())
	document.documentElement.dataset.theme = stored();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
document.addEventListener("keydown", onKey);
document.addEventListener("visibilitychange", () => {
	if (document.hidden) {
		stream.sleep();
		return;
	}
	stream.wake();
	state.dirty = true;
	tick();
});
byId("pause").addEventListener("click", pause);
byId("theme").addEventListener("click", theme);
byId("help-open").addEventListener("click", KEYS["?"]);
for (const id of ["detail", "help"])
	byId(`${id}-close`).addEventListener("click", () => byId(id).close());

loadStatus().then(loadPast);
tick();
setInterval(tick, TICK_MS);
