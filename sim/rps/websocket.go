package rps

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

// The two passes over a WebSocket: each text frame is the JSON of a pass 1 or a
// pass 2, answered by the JSON that REST would answer. Where REST refuses, the
// answer is a [SocketRefusal] and the connection stays. What is not text or too
// large ends it.

// SocketRefusal is the answer over a WebSocket where REST has a status other
// than 200.
type SocketRefusal struct {
	Pass       int    `json:"pass"` // that of the message, 0 if it was unreadable
	StatusCode int    `json:"statusCode"`
	Message    string `json:"message"`
}

const (
	socketIdle    = 60 * time.Second // between two messages
	socketWrite   = 10 * time.Second
	maxSockets    = 4096 // of about 20 KB each
	socketMessage = wire.MaxBody
)

type socketLimits struct {
	open atomic.Int64
	idle time.Duration
}

// serveSocket answers one connection until it ends.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) error {
	if s.socket.open.Add(1) > maxSockets {
		s.socket.open.Add(-1)
		return &service.Error{Status: http.StatusServiceUnavailable, Message: "too many WebSockets", RetryAfter: time.Second}
	}
	defer s.socket.open.Add(-1)
	if r.Header.Get("Upgrade") == "" {
		return service.Refuse(http.StatusUpgradeRequired, "this path is for WebSockets")
	}
	// Any page may log its user in: there are no cookies here that one of
	// another origin could ride on.
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true,
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return nil // Accept has answered
	}
	defer c.CloseNow()
	s.metrics.sockets.Add(1)
	defer s.metrics.sockets.Add(-1)
	c.SetReadLimit(socketMessage)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.stop, cancel)()
	for {
		message, ok := s.nextMessage(ctx, c)
		if !ok {
			return nil
		}
		var answer any
		if !s.public.Allow(r) {
			answer = &SocketRefusal{StatusCode: http.StatusTooManyRequests, Message: "too many requests"}
		} else {
			answer = s.answerSocket(ctx, message)
		}
		b, err := service.Marshal(answer)
		if err != nil {
			return nil
		}
		write, done := context.WithTimeout(ctx, socketWrite)
		err = c.Write(write, websocket.MessageText, b)
		done()
		if err != nil {
			return nil
		}
	}
}

// nextMessage reads a text frame, or ends the connection.
func (s *Server) nextMessage(ctx context.Context, c *websocket.Conn) ([]byte, bool) {
	idle, done := context.WithTimeout(ctx, s.socket.idle)
	defer done()
	kind, b, err := c.Read(idle)
	switch {
	case err != nil:
		// The library has told the other side what it did wrong, if it did.
		return nil, false
	case kind != websocket.MessageText:
		c.Close(websocket.StatusUnsupportedData, "text frames only")
		return nil, false
	}
	return b, true
}

// answerSocket answers one message.
func (s *Server) answerSocket(ctx context.Context, message []byte) any {
	var kind struct {
		Pass text `json:"pass"`
	}
	defer s.metrics.socketSeconds.Since(time.Now())
	answer, pass, err := any(nil), 0, error(nil)
	if err := service.Unmarshal(message, &kind); err != nil {
		return s.refusal(ctx, 0, service.BadBody(http.StatusForbidden, err))
	}
	switch kind.Pass {
	case "1":
		pass = 1
		var q pass1Request
		if err = service.Unmarshal(message, &q); err != nil {
			err = service.BadBody(http.StatusForbidden, err)
		} else {
			answer, err = s.pass1(ctx, &q)
		}
	case "2":
		pass = 2
		var q pass2Request
		if err = service.Unmarshal(message, &q); err != nil {
			err = service.BadBody(http.StatusForbidden, err)
		} else {
			answer, err = s.pass2(ctx, &q)
		}
	default:
		err = service.Refuse(http.StatusForbidden, "pass is neither 1 nor 2")
	}
	if err != nil {
		return s.refusal(ctx, pass, err)
	}
	s.metrics.socketAnswers[pass].Inc()
	return answer
}

// refusal tells what REST would tell.
func (s *Server) refusal(ctx context.Context, pass int, err error) *SocketRefusal {
	s.metrics.socketRefusals[pass].Inc()
	a := &SocketRefusal{Pass: pass, StatusCode: http.StatusInternalServerError, Message: "internal error"}
	var e *service.Error
	if errors.As(err, &e) {
		a.StatusCode, a.Message = e.Status, e.Message
	}
	if a.StatusCode >= 500 {
		s.log.ErrorContext(ctx, "websocket", "status", a.StatusCode, "cause", err)
	}
	return a
}
