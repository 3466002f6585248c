package client

import (
	"context"
	"encoding/json"
	"time"

	"mpinlab/sim/wire"
)

// FallBack is how long a login over a WebSocket may take before it is begun
// again with plain requests, and NoSocket for how long no WebSocket is tried
// after that.
const (
	FallBack = 5 * time.Second
	NoSocket = time.Minute
)

// maxFrame is the greatest answer over a WebSocket in bytes.
const maxFrame = wire.MaxAnswer

// overSocket goes through the passes over a WebSocket if the client is to use
// one and the deployment has one. It returns nil without a proof, for whatever
// reason; a reason that is the deployment's shows again with plain requests.
func (p *proof) overSocket(ctx context.Context) (*Proof, error) {
	c := p.client
	if !c.opt.WebSocket || !c.settings.UseWebSocket || time.Now().UnixNano() < c.noSocket.Load() {
		return nil, nil
	}
	start := time.Now()
	inner, cancel := context.WithTimeout(ctx, c.fallBack)
	defer cancel()
	conn, err := dial(inner, c, socket(c.links.authServer).JoinPath("authenticationToken").String())
	var done *Proof
	if err == nil {
		done, err = p.run(inner, c.overFrames(conn))
		conn.close(err == nil)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		// The library's error may quote the address, which is no secret here.
		c.noSocket.Store(time.Now().Add(NoSocket).UnixNano())
		err = unreachable(inner, StepWebSocket, err)
	}
	c.trace(StepWebSocket, start, 0, err, nil)
	return done, nil
}

// overFrames is the exchange over a WebSocket: each message and each answer is
// one text frame.
func (c *Client) overFrames(f *frames) exchange {
	return func(ctx context.Context, step Step, msg, out any, public func() map[string]string) error {
		start := time.Now()
		err := func() error {
			b, err := json.Marshal(msg)
			if err != nil {
				return err
			}
			if err := f.send(ctx, b); err != nil {
				return err
			}
			if b, err = f.receive(ctx); err != nil {
				return err
			}
			var refused struct {
				StatusCode int `json:"statusCode"`
			}
			if err := decode(b, &refused); err != nil {
				return nonsense(step, "%w", err)
			}
			if s := refused.StatusCode; s != 0 && (s < 200 || s > 299) {
				return refusal(&request{step: step}, s, b)
			}
			if err := decode(b, out); err != nil {
				return nonsense(step, "%w", err)
			}
			return nil
		}()
		if err != nil {
			public = nil
		}
		c.trace(step, start, 0, err, public)
		return err
	}
}
