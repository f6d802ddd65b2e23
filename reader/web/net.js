// SPDX-License-Identifier: MIT
// net.js - asks the server: lists as JSON, and the stream of what happens.
//
// Requests of one kind never pile up: a second one waits for the first, and of several that
// wait only the last is sent. So a slow server is asked less, not more.

const TIMEOUT_MS = 15000;

/** Returns {rows, total}; throws. */
export async function get(path, params = {}, signal) {
	const query = new URLSearchParams();
	for (const [key, value] of Object.entries(params))
		if (value !== "" && value !== undefined && value !== null)
			query.set(key, value);
	const limit = AbortSignal.timeout(TIMEOUT_MS);
	const text = query.size ? `${path}?${query}` : path;
	const answer = await fetch(text, {
		signal: signal ? AbortSignal.any([signal, limit]) : limit,
		headers: { Accept: "application/json" },
	});
	if (!answer.ok)
		throw new Error(`${path}: ${answer.status}`);
	return { rows: await answer.json(), total: Number(answer.headers.get("X-Total-Count") ?? 0) };
}

/** Makes of an async function one that runs once at a time, and once more when asked meanwhile. */
export function oneAtATime(work) {
	let running = false, again = null;
	return async function run(...args) {
		if (running) {
			again = args;
			return;
		}
		running = true;
		try {
			await work(...args);
		} catch (error) {
			if (error.name !== "AbortError" && error.name !== "TimeoutError")
				console.warn(String(error));
		} finally {
			running = false;
		}
		if (again) {
			const next = again;
			again = null;
			run(...next);
		}
	};
}

/** At most `width` of `jobs` (functions that return promises) at a time. */
export async function pool(jobs, width) {
	const queue = jobs.slice();
	const worker = async () => {
		for (let job; (job = queue.shift());)
			await job();
	};
	await Promise.all(Array.from({ length: width }, worker));
}

/**
 * The stream of /api/events. The browser connects again by itself and says what it had last
 * (Last-Event-ID), so that the server goes on there; it gives up when the answer is no stream
 * (a proxy, a server that is full), and then it is begun anew here, ever more seldom.
 *
 * Calls come one by one while there are few. When there are many they would cost more than
 * they show: then the stream has the totals alone (`calls(false)`), and lists are asked for.
 *
 * A page out of sight has none: a browser opens six connections to a host, of all its tabs, and
 * the seventh tab would wait for ever.
 */
export class Stream {
	constructor(handlers) {
		this.handlers = handlers;
		this.withCalls = true;
		this.wait = 1000;
		this.open();
	}

	open() {
		const source = new EventSource(this.withCalls ? "/api/events" : "/api/events?only=status");
		this.source = source;
		source.onopen = () => {
			this.wait = 1000;
			this.handlers.link("connected");
		};
		source.onerror = () => {
			this.handlers.link("connecting");
			if (source.readyState !== EventSource.CLOSED || this.source !== source)
				return;
			setTimeout(() => this.source === source && this.open(), this.wait);
			this.wait = Math.min(this.wait * 2, 30000);
		};
		for (const name of ["status", "invocation", "skipped", "reset"])
			source.addEventListener(name, (event) => this.handlers[name](JSON.parse(event.data)));
	}

	calls(wanted) {
		if (wanted === this.withCalls || !this.source)
			return;
		this.withCalls = wanted;
		this.source.close();
		this.open();
	}

	sleep() {
		this.source.close();
		this.source = null;
		this.handlers.link("asleep");
	}

	wake() {
		if (!this.source)
			this.open();
	}
}
