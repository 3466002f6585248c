//go:build !js

package client

import (
	"context"
	"errors"

	"github.com/coder/websocket"
)

// frames is a WebSocket over the client's own transport.
type frames struct{ conn *websocket.Conn }

// dial opens a WebSocket.
func dial(ctx context.Context, c *Client, at string) (*frames, error) {
	conn, _, err := websocket.Dial(ctx, at, &websocket.DialOptions{HTTPClient: c.http})
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(maxFrame)
	return &frames{conn}, nil
}

func (f *frames) send(ctx context.Context, b []byte) error {
	return f.conn.Write(ctx, websocket.MessageText, b)
}

func (f *frames) receive(ctx context.Context) ([]byte, error) {
	kind, b, err := f.conn.Read(ctx)
	if err == nil && kind != websocket.MessageText {
		err = errors.New("a binary frame")
	}
	return b, err
}

// close takes leave of the other side only if all went well: otherwise it may not
// answer.
func (f *frames) close(well bool) {
	if well {
		f.conn.Close(websocket.StatusNormalClosure, "")
		return
	}
	f.conn.CloseNow()
}
