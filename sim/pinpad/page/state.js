// What the views share. Nothing here is secret.

import { call, json } from "./rpc.js";

export const state = {
	device: null, // what open said of the service
	identities: [],
	session: null, // who is logged in
	code: "", // a code that this phone has scanned
};

export async function reload() {
	state.identities = await call("identities");
}

export const identity = (hash) => state.identities.find((id) => id.hash === hash);

// refresh asks who is logged in; it returns whether that has changed.
export async function refresh() {
	const before = state.session?.userId;
	try {
		state.session = await json("GET", "/session");
	} catch (failure) {
		if (failure.kind !== "loggedOut") throw failure;
		state.session = null;
	}
	return state.session?.userId !== before;
}

// go shows a route, also if it is the one on show.
export function go(route) {
	const to = "#/" + route;
	if (location.hash === to) dispatchEvent(new HashChangeEvent("hashchange"));
	else location.hash = to;
}
