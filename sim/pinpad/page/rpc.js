// The worker, which alone has PINs and tokens. Calls are messages with a number;
// digits of a PIN are messages of their own and only counted here.

const script = document.querySelector("script[data-worker]");

// Trusted Types, where the browser has them: the only script made by this page.
const policy = globalThis.trustedTypes?.createPolicy("mpin", { createScriptURL: (url) => url });
const address = script.dataset.worker;
const worker = new Worker(policy ? policy.createScriptURL(address) : address, { type: "module", name: "mpin" });

let last = 0;
const waiting = new Map();
const listeners = new Map();

// Failure is an error of a call: kind is one of a fixed list.
export class Failure extends Error {
	constructor({ kind, message }) {
		super(message);
		this.kind = kind;
	}
}

let isReady, hasFailed;
export const ready = new Promise((resolve, reject) => { isReady = resolve; hasFailed = reject; });
ready.catch(() => {});

worker.onmessage = ({ data }) => {
	switch (data.type) {
	case "result": {
		const { resolve, reject } = waiting.get(data.n) ?? {};
		waiting.delete(data.n);
		if (data.error) reject?.(new Failure(data.error));
		else resolve?.(data.value);
		break;
	}
	case "ready":
		isReady();
		break;
	case "failed":
		hasFailed(new Failure(data.error));
		break;
	default:
		for (const f of listeners.get(data.type) ?? []) f(data);
	}
};
worker.onerror = () => hasFailed(new Failure({ kind: "load", message: "the worker does not start" }));
worker.postMessage({ type: "start", wasm: script.dataset.wasm, size: Number(script.dataset.size) });

// call asks the worker. With {pin: true} it uses up the digits typed so far, and
// with {withOld: true} it gets the old PIN too.
export function call(name, args = {}, { pin = false, keep = false, withOld = false } = {}) {
	const n = ++last;
	return new Promise((resolve, reject) => {
		waiting.set(n, { resolve, reject });
		worker.postMessage({ type: "call", n, name, args, pin, keep, withOld });
	});
}

// prepare has the worker compute, when the page is idle, what it can before the
// PIN is there. Whether it could shows at the login. The mark is for the tests.
export function prepare(id) {
	performance.clearMarks("mpin-prepared");
	(globalThis.requestIdleCallback ?? setTimeout)(() =>
		call("prepare", { id }).then(() => performance.mark("mpin-prepared"), () => {}));
}

// on hears events of a type; it returns how to stop.
export function on(type, f) {
	if (!listeners.has(type)) listeners.set(type, new Set());
	listeners.get(type).add(f);
	return () => listeners.get(type).delete(f);
}

// The digits of a PIN.
export const digits = {
	add: (digit) => worker.postMessage({ type: "digit", digit }),
	erase: () => worker.postMessage({ type: "erase" }),
	clear: () => worker.postMessage({ type: "clear" }),
};

// json asks the application itself, at this origin.
export async function json(method, path, body, headers = {}) {
	let answer;
	try {
		answer = await fetch(path, {
			method,
			cache: "no-store",
			redirect: "error",
			headers: { Accept: "application/json", ...(body ? { "Content-Type": "application/json" } : {}), ...headers },
			body: body ? JSON.stringify(body) : undefined,
		});
	} catch {
		throw new Failure({ kind: "unreachable", message: "no answer" });
	}
	const said = await answer.json().catch(() => ({}));
	if (!answer.ok) {
		const kind = { 401: "loggedOut", 403: "forbidden", 404: "notFound", 400: "malformed", 429: "busy" }[answer.status];
		throw new Failure({ kind: kind ?? (answer.status >= 500 ? "server" : "refused"), message: said.message ?? "" });
	}
	return said;
}
