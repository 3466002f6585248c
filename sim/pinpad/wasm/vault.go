//go:build js && wasm

package main

import (
	"context"
	"errors"
	"fmt"
	"syscall/js"

	"mpinlab/sim/client"
)

// vault is a client.Vault over vault.js: one record in IndexedDB, encrypted with
// AES-256-GCM under a key that WebCrypto does not let out, changed under a Web
// Lock, so that tabs take turns.
type vault struct{ host js.Value }

var _ client.Vault = (*vault)(nil)

// Load implements client.Vault.
func (v *vault) Load(context.Context) ([]byte, error) {
	held, err := v.hold(false)
	if err != nil {
		return nil, err
	}
	defer held.Call("close")
	return taken(held.Get("bytes")), nil
}

// Update implements client.Vault.
func (v *vault) Update(_ context.Context, f func([]byte) ([]byte, error)) error {
	held, err := v.hold(true)
	if err != nil {
		return err
	}
	defer held.Call("close")
	old := taken(held.Get("bytes"))
	defer clear(old)
	b, err := f(old)
	if err != nil {
		return err
	}
	defer clear(b)
	array := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(array, b)
	defer array.Call("fill", 0)
	_, err = await(held.Call("put", array))
	return err
}

// hold opens the vault, to be closed by the caller.
func (v *vault) hold(change bool) (js.Value, error) {
	return await(v.host.Get("vault").Call("hold", change))
}

// taken copies an array and wipes it; nil for none.
func taken(array js.Value) []byte {
	if !array.Truthy() {
		return nil
	}
	b := make([]byte, array.Get("length").Int())
	js.CopyBytesToGo(b, array)
	array.Call("fill", 0)
	return b
}

// await waits for a promise. A failure whose name is OperationError is what
// WebCrypto says when a text does not decrypt.
func await(promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	done := make(chan outcome, 1)
	good := js.FuncOf(func(_ js.Value, a []js.Value) any {
		done <- outcome{value: a[0]}
		return nil
	})
	defer good.Release()
	bad := js.FuncOf(func(_ js.Value, a []js.Value) any {
		name, message := a[0].Get("name").String(), a[0].Get("message").String()
		err := errors.New("vault: " + name + ": " + message)
		if name == "OperationError" {
			err = fmt.Errorf("%w: this browser's key does not open it", client.ErrLocked)
		}
		done <- outcome{err: err}
		return nil
	})
	defer bad.Release()
	promise.Call("then", good, bad)
	o := <-done
	return o.value, o.err
}
