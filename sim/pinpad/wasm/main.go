//go:build js && wasm

// Command wasm is the PIN pad's client in a browser: package client, run by
// messages in a Web Worker. worker.js starts it and passes messages on; it calls
// mpin.call and gets a promise, and gives Go a vault and somebody to tell events.
//
// PINs come as arrays of digits in ASCII beside the call, never in its JSON, and
// are wiped here and there as soon as they are read. No token leaves this
// program but through the vault, which encrypts it.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"syscall/js"

	"mpinlab/backends"
	"mpinlab/backends/gnark"
	"mpinlab/sim/client"
)

// program is what the calls share.
type program struct {
	host    js.Value
	origin  string
	device  *client.Device
	tracing *tracer

	mu         sync.Mutex
	enrolments map[string]*enrolment       // by mpinId
	known      map[string]*client.Identity // by mpinId
	prepared   map[string]*client.Identity // by mpinId: those of known that prepare was called for
	approvals  []*client.Approval
	logins     int // begun so far
	codes      *codes
}

func main() {
	host := js.Global().Get("mpinHost")
	p := &program{
		host: host, origin: host.Get("origin").String(),
		enrolments: map[string]*enrolment{}, known: map[string]*client.Identity{},
		prepared: map[string]*client.Identity{},
	}
	p.tracing = &tracer{tell: p.tell}
	js.Global().Set("mpin", map[string]any{"call": js.FuncOf(p.call)})
	host.Call("ready")
	select {}
}

// call is mpin.call(name, arguments as JSON, PIN or undefined, old PIN or
// undefined): a promise of the result as JSON, or of a failure as {kind, message}.
func (p *program) call(_ js.Value, args []js.Value) any {
	name, text := args[0].String(), args[1].String()
	var pins [2][]byte
	for i, arg := range args[2:min(4, len(args))] {
		pins[i] = taken(arg)
	}
	var executor js.Func
	executor = js.FuncOf(func(_ js.Value, promise []js.Value) any {
		resolve, reject := promise[0], promise[1]
		go func() {
			defer executor.Release()
			result, err := p.run(name, []byte(text), pins[0], pins[1])
			clear(pins[0])
			clear(pins[1])
			if err != nil {
				reject.Invoke(failure(err))
				return
			}
			resolve.Invoke(result)
		}()
		return nil
	})
	return js.Global().Get("Promise").New(executor)
}

// run finds the call and writes its result.
func (p *program) run(name string, arguments, pin, old []byte) (string, error) {
	f := calls[name]
	if f == nil {
		return "", fmt.Errorf("no call %q", name)
	}
	if p.device == nil && name != "open" {
		return "", fmt.Errorf("%w: not open yet", client.ErrState)
	}
	var a input
	if err := json.Unmarshal(arguments, &a); err != nil {
		return "", errors.New("malformed arguments")
	}
	if pin != nil {
		var err error
		if a.pin, err = client.NewPIN(pin); err != nil {
			return "", err
		}
		defer a.pin.Wipe()
		a.digits = pin
	}
	if old != nil {
		var err error
		if a.old, err = client.NewPIN(old); err != nil {
			return "", err
		}
		defer a.old.Wipe()
	}
	result, err := f(p, &a)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(result)
	return string(b), err
}

// suites are what this build carries: bls12-381, or with the build tag allcurves
// every curve of gnark-crypto.
var suites = client.SuitesOf(carried()...)

// tell passes an event to the page.
func (p *program) tell(event any) {
	b, err := json.Marshal(event)
	if err != nil {
		return
	}
	p.host.Call("event", string(b))
}

// kinds are the errors that the page has words for, the particular first.
var kinds = []struct {
	err  error
	name string
}{
	{client.ErrNotActivated, "notActivated"},
	{client.ErrWrongPIN, "wrongPIN"},
	{client.ErrBlocked, "blocked"},
	{client.ErrRevoked, "revoked"},
	{client.ErrUnknownCode, "unknownCode"},
	{client.ErrUnknownIdentity, "unknownIdentity"},
	{client.ErrExpired, "expired"},
	{client.ErrBadShare, "badShare"},
	{client.ErrBusy, "busy"},
	{client.ErrUnreachable, "unreachable"},
	{client.ErrServer, "server"},
	{client.ErrRefused, "refused"},
	{client.ErrPIN, "pin"},
	{client.ErrSuite, "suite"},
	{client.ErrLocked, "locked"},
	{client.ErrDamaged, "damaged"},
	{client.ErrNotFound, "notFound"},
	{client.ErrState, "state"},
}

func kindOf(err error) string {
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.name
		}
	}
	return "other"
}

func failure(err error) js.Value {
	return js.ValueOf(map[string]any{"kind": kindOf(err), "message": err.Error()})
}

func carried() (list []backends.Backend) {
	for _, e := range gnark.New() {
		if e.Backend != nil {
			list = append(list, e.Backend)
		}
	}
	return list
}
