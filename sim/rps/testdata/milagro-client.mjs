// A user of an M-Pin deployment with the cryptography of npm milagro-crypto-js,
// as an Apache Milagro client has it. It knows nothing of what our deployment
// adds to that server's messages.
//
//   node milagro-client.mjs FOLDER BASE SUITE [USER]
//
// FOLDER holds the package, BASE is the relying party's address, and SUITE
// milagro/bn254cx, milagro/bn254n or milagro/fp256bn. It goes through the steps
// below for USER (default alice@example.com), prints one line of JSON for each,
//
//   {"step":"login","ok":true,"status":200,"ms":61,"userId":"alice@example.com"}
//
// and ends with status 0 if all went as they should, or at the first that did
// not, with {"ok":false,"error":"…"} and status 1. "status" is the HTTP status of
// the answer that decided. A user whose registration has to be activated is, by
// the relying party's outbox.
//
// Steps: settings, register, activate, secret, setupDone, permit, login,
// permitKept, otp, accessNumber, logout, unknownNumber, wrongPIN, wrongPIN,
// blocked, stillBlocked.

import { createHash, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import path from 'node:path';

const [folder, base, suite, user = 'alice@example.com'] = process.argv.slice(2);
const curves = { 'milagro/bn254cx': 'BN254CX', 'milagro/bn254n': 'BN254', 'milagro/fp256bn': 'FP256BN' };
if (!folder || !base || !curves[suite]) {
    console.error('usage: node milagro-client.mjs FOLDER BASE SUITE [USER]');
    process.exit(2);
}
const CTX = createRequire(import.meta.url)(path.resolve(folder));
const ctx = new CTX(curves[suite]);
const mpin = ctx.MPIN;
const sha256 = 32;

const pin = 1234;
const patience = 30_000; // ms for one request

const bytesOf = (hex) => Array.from(Buffer.from(hex, 'hex'));
const hexOf = (bytes) => Buffer.from(bytes).toString('hex');
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const random = new ctx.RAND();
random.seed(64, Array.from(randomBytes(64)));

// must fails where a function of the library returns an error code.
function must(name, ...args) {
    const code = mpin[name](...args);
    if (code !== 0) {
        throw new Error(`${name} returned ${code}`);
    }
}

// ask sends one request; body is sent as JSON if there is one.
async function ask(method, url, body) {
    const response = await fetch(url, {
        method,
        redirect: 'error',
        signal: AbortSignal.timeout(patience),
        headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    let json = {};
    try {
        json = JSON.parse(text);
    } catch {
        // the storage answers with a bare point
    }
    return { status: response.status, text: text.trim(), json };
}

// good is ask for what has to be a success.
async function good(method, url, body) {
    const answer = await ask(method, url, body);
    if (answer.status !== 200) {
        throw new Error(`${method} ${new URL(url).pathname}: status ${answer.status}: ${answer.text.slice(0, 200)}`);
    }
    return answer;
}

// expect fails unless a status is the one that is due.
function expect(answer, status) {
    if (answer.status !== status) {
        throw new Error(`status ${answer.status}, not ${status}: ${answer.text.slice(0, 200)}`);
    }
    return answer;
}

// step runs one step and prints its line.
async function step(name, work) {
    const start = Date.now();
    let line;
    try {
        line = { step: name, ok: true, ...(await work()) };
    } catch (error) {
        line = { step: name, ok: false, error: String(error.message || error) };
    }
    line.ms = Date.now() - start;
    console.log(JSON.stringify(line));
    if (!line.ok) {
        process.exit(1);
    }
}

let settings;
let registration;
let identity; // raw bytes
let token;
const kept = {}; // the second half of a permit, by date

await step('settings', async () => {
    const answer = await good('GET', `${base}/rps/clientSettings`);
    settings = answer.json;
    // The original gives its generator these bytes besides.
    const seed = bytesOf(settings.seedValue).concat(Array.from(randomBytes(64)));
    random.seed(seed.length, seed);
    return { status: answer.status, appID: settings.appID };
});

await step('register', async () => {
    const answer = await good('PUT', settings.registerURL, { userId: user, mobile: 0, deviceName: 'node' });
    registration = answer.json;
    identity = bytesOf(registration.mpinId);
    const { userID, mobile, issued, salt } = JSON.parse(Buffer.from(identity).toString('ascii'));
    if (userID !== user || mobile !== 0 || !issued || !/^[0-9a-f]{32}$/.test(salt)) {
        throw new Error('the identity is not that of the user');
    }
    if (!/^[0-9a-f]{32}$/.test(registration.regOTT)) {
        throw new Error('regOTT is not 32 hex digits');
    }
    return { status: answer.status, active: registration.active };
});

const signatureURL = () => `${settings.signatureURL}/${registration.mpinId}?regOTT=${registration.regOTT}`;

await step('activate', async () => {
    if (registration.active) {
        return { needed: false };
    }
    expect(await ask('GET', signatureURL()), 401);
    const mail = await good('GET', `${base}/outbox?user=${encodeURIComponent(user)}`);
    const answer = await good('GET', mail.json.link);
    return { needed: true, status: answer.status };
});

await step('secret', async () => {
    const first = await good('GET', signatureURL());
    const second = await good('GET', `${settings.certivoxURL}clientSecret?${first.json.params}`);
    const secret = [];
    must('RECOMBINE_G1', bytesOf(first.json.clientSecretShare), bytesOf(second.json.clientSecret), secret);
    token = secret.slice();
    must('EXTRACT_PIN', sha256, identity, pin, token);
    secret.fill(0);
    return { status: second.status };
});

await step('setupDone', async () => {
    const answer = await good('POST', `${settings.setupDoneURL}/${registration.mpinId}`, {});
    return { status: answer.status };
});

// permit returns the time permit with its date, and where the second half was.
async function permit() {
    const { json: half } = await good('GET', `${settings.timePermitsURL}/${registration.mpinId}`);
    const hash = createHash('sha256').update(Buffer.from(identity)).digest('hex');
    let from = 'kept';
    let second = kept[half.date];
    if (!second) {
        from = 'storage';
        const place = `${settings.timePermitsStorageURL}/${settings.appID}/${half.date}/${half.storageId}`;
        const answer = await ask('GET', place);
        if (answer.status === 200) {
            second = answer.text;
        }
    }
    if (!second) {
        from = 'D-TA';
        const query = new URLSearchParams({
            app_id: settings.appID, mobile: '0', hash_mpin_id: hash, signature: half.signature,
        });
        second = (await good('GET', `${settings.certivoxURL}timePermit?${query}`)).json.timePermit;
    }
    kept[half.date] = second;
    const sum = [];
    must('RECOMBINE_G1', bytesOf(half.timePermit), bytesOf(second), sum);
    return { date: half.date, from, point: sum };
}

await step('permit', async () => {
    const { date, from } = await permit();
    return { date, from };
});

// prove goes through the two passes and returns what the second answered.
async function prove(entered, { otp = 0, wid = '0' } = {}) {
    const { date, point, from } = await permit();
    const x = [];
    const secret = [];
    const u = [];
    const ut = [];
    must('CLIENT_1', sha256, date, identity, random, x, entered, token, secret, u, ut, point);
    const one = await good('POST', `${settings.mpinAuthServerURL}/pass1`, {
        mpin_id: registration.mpinId, UT: hexOf(ut), U: hexOf(u), pass: 1,
    });
    must('CLIENT_2', x, bytesOf(one.json.y), secret);
    const two = await good('POST', `${settings.mpinAuthServerURL}/pass2`, {
        mpin_id: registration.mpinId, V: hexOf(secret), OTP: otp, WID: wid, pass: 2,
    });
    if (!/^[0-9a-f]{32}$/.test(two.json.authOTT)) {
        throw new Error('authOTT is not 32 hex digits');
    }
    return { ...two.json, from };
}

const redeem = (authOTT) => ask('POST', new URL(settings.authenticateURL, base), { mpinResponse: { authOTT, version: '0.3', pass: 2 } });

await step('login', async () => {
    const { authOTT } = await prove(pin);
    const answer = expect(await redeem(authOTT), 200);
    const again = await redeem(authOTT);
    if (again.status === 200) {
        throw new Error('a login was redeemed twice');
    }
    return { status: answer.status, again: again.status, userId: answer.json.userId };
});

await step('permitKept', async () => {
    const { from } = await prove(pin);
    if (from !== 'kept') {
        throw new Error(`the second half came from ${from}`);
    }
    return {};
});

await step('otp', async () => {
    const { authOTT, OTP } = await prove(pin, { otp: 1 });
    if (!/^[0-9]+$/.test(OTP)) {
        throw new Error('no one-time password');
    }
    const answer = expect(await redeem(authOTT), 200);
    return { status: answer.status, digits: OTP.length };
});

let logout;

await step('accessNumber', async () => {
    // The browser gets a number and asks how it stands with it.
    const code = (await good('POST', settings.getAccessNumberURL)).json;
    const number = String(code.accessNumber);
    if (number.length !== settings.accessNumberDigits) {
        throw new Error(`an access number of ${number.length} digits`);
    }
    const state = async () => (await good('POST', settings.accessNumberURL, { webOTT: code.webOTT })).json;
    if ((await state()).status !== 'new') {
        throw new Error('the number is not new');
    }
    // The phone types it and waits until the browser is in.
    const { authOTT } = await prove(pin, { wid: number });
    const phone = ask('POST', settings.mobileAuthenticateURL, { mpinResponse: { authOTT, version: '0.3', pass: 2 } });
    let seen;
    for (const end = Date.now() + 20_000; ; await pause(200)) {
        seen = await state();
        if (seen.status === 'authenticate') {
            break;
        }
        if (Date.now() > end) {
            throw new Error(`the number's state stays ${seen.status}`);
        }
    }
    const browser = expect(await redeem(seen.authOTT), 200);
    logout = expect(await phone, 200).json;
    return { status: browser.status, userId: browser.json.userId, phone: Object.keys(logout).sort().join(' ') };
});

await step('logout', async () => {
    const answer = await good('POST', new URL(logout.logoutURL, base), logout.logoutData);
    return { status: answer.status };
});

await step('unknownNumber', async () => {
    const phone = await ask('POST', settings.mobileAuthenticateURL, {
        mpinResponse: { authOTT: randomBytes(16).toString('hex'), version: '0.3', pass: 2 },
    });
    return { status: expect(phone, 412).status };
});

// attempt logs in with a PIN and returns the verdict's status.
async function attempt(entered, due) {
    const { authOTT } = await prove(entered);
    return { status: expect(await redeem(authOTT), due).status };
}

await step('wrongPIN', () => attempt(4321, 401));
await step('wrongPIN', () => attempt(1235, 401));
await step('blocked', () => attempt(1111, 410));
await step('stillBlocked', () => attempt(pin, 410));
