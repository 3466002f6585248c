//go:build js

package client

import (
	"context"
	"errors"
	"io"
	"syscall/js"
)

// frames is a WebSocket of the browser's.
type frames struct {
	socket   js.Value
	messages chan []byte // answers come one a message
	ended    chan error
	handlers []js.Func
}

// dial opens a WebSocket.
func dial(ctx context.Context, _ *Client, at string) (_ *frames, err error) {
	// The constructor throws where the page's policy forbids the address.
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("the browser refuses the WebSocket")
		}
	}()
	f := &frames{socket: js.Global().Get("WebSocket").New(at), messages: make(chan []byte, 1), ended: make(chan error, 1)}
	opened := make(chan struct{}, 1)
	f.on("open", func(js.Value) { opened <- struct{}{} })
	f.on("close", func(js.Value) { f.end(io.ErrUnexpectedEOF) })
	f.on("error", func(js.Value) { f.end(errors.New("the WebSocket failed")) })
	f.on("message", func(event js.Value) {
		data := event.Get("data")
		if data.Type() != js.TypeString {
			f.end(errors.New("a binary frame"))
			return
		}
		text := data.String()
		if len(text) > maxFrame {
			f.end(errors.New("a frame that is too large"))
			return
		}
		select {
		case f.messages <- []byte(text):
		default:
			f.end(errors.New("a frame that nobody asked for"))
		}
	})
	select {
	case <-opened:
		return f, nil
	case err = <-f.ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	f.close(false)
	return nil, err
}

// on handles an event as long as the socket is open.
func (f *frames) on(event string, handle func(js.Value)) {
	h := js.FuncOf(func(_ js.Value, a []js.Value) any {
		handle(a[0])
		return nil
	})
	f.handlers = append(f.handlers, h)
	f.socket.Set("on"+event, h)
}

func (f *frames) end(err error) {
	select {
	case f.ended <- err:
	default:
	}
}

func (f *frames) send(_ context.Context, b []byte) error {
	f.socket.Call("send", string(b))
	return nil
}

func (f *frames) receive(ctx context.Context) ([]byte, error) {
	select {
	case b := <-f.messages:
		return b, nil
	case err := <-f.ended:
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *frames) close(bool) {
	for _, event := range []string{"open", "close", "error", "message"} {
		f.socket.Set("on"+event, js.Null())
	}
	f.socket.Call("close")
	for _, h := range f.handlers {
		h.Release()
	}
}
