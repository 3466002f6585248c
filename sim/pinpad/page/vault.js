// What this browser keeps: one record in IndexedDB, encrypted with AES-256-GCM
// under a key that WebCrypto does not let out. Tabs take turns under a Web Lock.

const database = "mpin";
const store = "vault";
const about = new TextEncoder().encode("mpin wallet 1 " + self.location.origin);

const settled = (request) => new Promise((resolve, reject) => {
	request.onsuccess = () => resolve(request.result);
	request.onerror = () => reject(request.error);
});

async function open() {
	const request = indexedDB.open(database, 1);
	request.onupgradeneeded = () => request.result.createObjectStore(store);
	return settled(request);
}

async function read() {
	const db = await open();
	try {
		const s = db.transaction(store).objectStore(store);
		const [key, sealed] = await Promise.all([settled(s.get("key")), settled(s.get("wallet"))]);
		if (!sealed) return { key, bytes: null };
		// A record without its key cannot be opened, as one that was changed.
		if (!key) throw new DOMException("no key", "OperationError");
		const bytes = await crypto.subtle.decrypt({ name: "AES-GCM", iv: sealed.iv, additionalData: about }, key, sealed.data);
		return { key, bytes: new Uint8Array(bytes) };
	} finally {
		db.close();
	}
}

async function write(key, bytes) {
	const iv = crypto.getRandomValues(new Uint8Array(12));
	key ??= await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
	const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: about }, key, bytes);
	const db = await open();
	try {
		const t = db.transaction(store, "readwrite", { durability: "strict" });
		t.objectStore(store).put(key, "key");
		t.objectStore(store).put({ iv, data }, "wallet");
		await new Promise((resolve, reject) => {
			t.oncomplete = resolve;
			t.onabort = t.onerror = () => reject(t.error);
		});
	} finally {
		db.close();
	}
	return key;
}

// vault.hold opens the vault until close is called: alone, if it is to be changed.
export const vault = {
	hold: (change) => new Promise((resolve, reject) => {
		navigator.locks.request("mpin-vault", { mode: change ? "exclusive" : "shared" }, async () => {
			const held = await read();
			await new Promise((close) => resolve({
				bytes: held.bytes,
				put: async (bytes) => { held.key = await write(held.key, bytes); },
				close,
			}));
		}).catch(reject);
	}),
};

// forgetEverything removes the record and its key.
export async function forgetEverything() {
	return navigator.locks.request("mpin-vault", async () => {
		await settled(indexedDB.deleteDatabase(database));
		return true;
	});
}
