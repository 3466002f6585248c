// The worker: it loads the client in WebAssembly, keeps the digits of a PIN until
// a call uses them up, and passes calls and events on. Digits are never in a
// string and are overwritten when they have served.

import "./wasm_exec.js";
import { vault, forgetEverything } from "./vault.js";

const maxDigits = 12;

// entry is a PIN on its way, first the one it has to be equal to, and old the one
// whose place it is to take.
const entry = { bytes: new Uint8Array(maxDigits), length: 0 };
const first = { bytes: new Uint8Array(maxDigits), length: 0 };
const old = { bytes: new Uint8Array(maxDigits), length: 0 };

// oldFor is how long an old PIN is kept while a new one is chosen, in ms.
const oldFor = 180_000;
let forgetting = 0;

function wipe(pin) {
	pin.bytes.fill(0);
	pin.length = 0;
}

function move(from, to) {
	to.bytes.set(from.bytes);
	to.length = from.length;
	wipe(from);
}

function same(a, b) {
	let difference = a.length ^ b.length;
	for (let i = 0; i < maxDigits; i++) difference |= a.bytes[i] ^ b.bytes[i];
	return difference === 0;
}

const started = {};
started.promise = new Promise((resolve) => { started.resolve = resolve; });

globalThis.mpinHost = {
	origin: self.location.origin,
	vault,
	ready: () => {
		started.resolve();
		postMessage({ type: "ready" });
	},
	event: (text) => postMessage(JSON.parse(text)),
};

// load fetches and starts the client, and tells how much of it is here.
async function load(url, size) {
	const go = new Go();
	const answer = await fetch(url, { credentials: "same-origin" });
	if (!answer.ok) throw new Error("status " + answer.status);
	let seen = 0;
	const counted = answer.body.pipeThrough(new TransformStream({
		transform(chunk, controller) {
			seen += chunk.byteLength;
			postMessage({ type: "progress", part: Math.min(1, seen / size) });
			controller.enqueue(chunk);
		},
	}));
	const { instance } = await WebAssembly.instantiateStreaming(
		new Response(counted, { headers: { "Content-Type": "application/wasm" } }), go.importObject);
	go.run(instance).then(() => postMessage({ type: "failed", error: { kind: "load", message: "the client has ended" } }));
}

const fail = (kind) => Promise.reject({ kind, message: kind });

// own are the calls that need no client.
const own = {
	// keep puts the PIN aside, to be typed again.
	async keep() {
		move(entry, first);
		return true;
	},
	// keepOld puts the PIN aside as the old one, for a while.
	async keepOld() {
		move(entry, old);
		clearTimeout(forgetting);
		forgetting = setTimeout(() => wipe(old), oldFor);
		return true;
	},
	// sameAsOld compares the PIN with the old one.
	async sameAsOld() {
		if (old.length === 0) return fail("oldForgotten");
		return same(entry, old);
	},
	async forgetOld() {
		wipe(old);
		return true;
	},
	// same compares the PIN with the one put aside, and wipes that.
	async same() {
		const equal = same(entry, first);
		wipe(first);
		if (!equal) wipe(entry);
		return equal;
	},
	forgetEverything,
};

async function answer({ n, name, args, pin, keep, withOld }) {
	try {
		let value;
		if (own[name]) value = await own[name]();
		else {
			const digits = pin ? entry.bytes.slice(0, entry.length) : undefined;
			const was = withOld ? old.bytes.slice(0, old.length) : undefined;
			if (pin && !keep) wipe(entry);
			if (withOld && old.length === 0) await fail("oldForgotten");
			await started.promise;
			value = JSON.parse(await mpin.call(name, JSON.stringify(args), digits, was));
		}
		postMessage({ type: "result", n, value });
	} catch (error) {
		postMessage({ type: "result", n, error: { kind: error.kind ?? "other", message: String(error.message ?? error) } });
	}
}

onmessage = ({ data }) => {
	switch (data.type) {
	case "start":
		load(data.wasm, data.size).catch((error) =>
			postMessage({ type: "failed", error: { kind: "load", message: String(error.message ?? error) } }));
		break;
	case "digit":
		if (entry.length < maxDigits && data.digit >= 0 && data.digit <= 9) entry.bytes[entry.length++] = 48 + data.digit;
		break;
	case "erase":
		if (entry.length > 0) entry.bytes[--entry.length] = 0;
		break;
	case "clear":
		wipe(entry);
		break;
	case "call":
		answer(data);
		break;
	}
};
