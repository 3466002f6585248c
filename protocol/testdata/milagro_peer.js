'use strict';

// Lets a test call the M-Pin functions of milagro-crypto-js.
//
//   node milagro_peer.js FOLDER CURVE
//
// FOLDER holds the package, CURVE is one of its names: FP256BN, BN254, BN254CX.
// Each line of standard input is a call, for example
//
//   {"call": "CLIENT_2", "args": ["04...", "1f...", "04..."]}
//
// An argument is a number, null, a byte string in hexadecimal, or
// {"seed": "..."} for a random generator seeded with these bytes. The functions
// write their results into byte strings they are handed, so the answer, one
// line as well, holds all arguments as the call left them:
//
//   {"code": 0, "args": ["04...", "1f...", "04..."]}
//
// A function that returns a byte string has it in "bytes" instead of a number
// in "code". A call that fails is answered by {"error": "what it threw"}.

const path = require('path');
const readline = require('readline');

const [folder, curve] = process.argv.slice(2);
const CTX = require(path.resolve(folder));
const ctx = new CTX(curve);

const fromHex = (text) => Array.from(Buffer.from(text, 'hex'));
const toHex = (bytes) => Buffer.from(bytes).toString('hex');

function read(arg) {
    if (typeof arg === 'string') {
        return fromHex(arg);
    }
    if (arg !== null && typeof arg === 'object') {
        const seed = fromHex(arg.seed);
        const generator = new ctx.RAND();
        generator.seed(seed.length, seed);
        return generator;
    }
    return arg;
}

function write(arg) {
    if (arg instanceof ctx.RAND) {
        return null;
    }
    return Array.isArray(arg) ? toHex(arg) : arg;
}

function answer(line) {
    try {
        const request = JSON.parse(line);
        const args = request.args.map(read);
        const result = ctx.MPIN[request.call](...args);
        const response = { args: args.map(write) };
        if (Array.isArray(result)) {
            response.bytes = toHex(result);
        } else {
            response.code = result;
        }
        return response;
    } catch (error) {
        return { error: String(error) };
    }
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
    process.stdout.write(JSON.stringify(answer(line)) + '\n');
});
