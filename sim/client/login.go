package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/client/internal/http"
	"mpinlab/sim/wire"
)

// ProveOptions say what a proof is for. The zero value is a login of the client
// itself.
type ProveOptions struct {
	// OTP asks for a one-time password for use elsewhere.
	OTP bool
	// WID is the access number or QR code whose browser is to be logged in.
	WID string
}

// Proof is what a client has after pass 2: a claim that the relying party, or
// the service for a phone, redeems once. Whether the PIN was right shows then.
type Proof struct {
	AuthOTT string
	OTP     string
}

// String says what it is, and neither of its secrets.
func (p *Proof) String() string { return "proof" }

// Prove gets a permit and goes through pass 1 and pass 2, over a WebSocket if the
// client is to use one. Nothing is judged yet, so that a proof that breaks off
// costs no attempt, and is begun again where that may help. Proofs of one
// Identity take turns, because a deployment keeps an identity's latest pass 1
// only. Errors: ErrRevoked, ErrBadShare, ErrState, ErrSuite, ErrPIN, ErrDamaged,
// ErrServer, ErrUnreachable, ErrBusy, ErrRefused. Constant-time in token and PIN
// where the backend is.
func (c *Client) Prove(ctx context.Context, id *Identity, pin *PIN, opt ProveOptions) (*Proof, error) {
	done := c.traceNow(StepComputeToken)
	point, secret, err := id.secret(c.suite, pin)
	done()
	if err != nil {
		return nil, err
	}
	if err := id.lock(ctx); err != nil {
		return nil, err
	}
	defer id.unlock()
	permit, err := c.Permit(ctx, id)
	if err != nil {
		return nil, err
	}
	p := &proof{client: c, id: id, point: point, secret: secret, permit: permit, opt: opt}
	if done, err := p.overSocket(ctx); done != nil || ctx.Err() != nil {
		return done, err
	}
	pause := c.pause
	for attempt := 0; ; attempt++ {
		done, err := p.run(ctx, c.post)
		if err == nil || attempt == retries || !restartable(err) {
			return done, err
		}
		if wait(ctx, pause) != nil {
			return nil, err
		}
		pause *= 2
	}
}

// restartable tells whether a fresh proof may succeed where one failed. A
// challenge that the deployment lost is a 500 in pass 2.
func restartable(err error) bool {
	var s *StatusError
	if errors.As(err, &s) {
		return passing(s.Status, nil) || s.Step == StepPass2 && s.Status == http.StatusInternalServerError
	}
	return errors.Is(err, ErrUnreachable)
}

// proof is one login on its way, which may be begun more than once: every time
// with a fresh x.
type proof struct {
	client *Client
	id     *Identity
	point  *protocol.Identity
	secret *protocol.ClientSecret
	permit *protocol.Permit
	opt    ProveOptions
}

// exchange sends one message of a proof and reads the answer.
type exchange func(ctx context.Context, step Step, msg, out any, public func() map[string]string) error

// post is the exchange over plain requests.
func (c *Client) post(ctx context.Context, step Step, msg, out any, public func() map[string]string) error {
	_, err := c.do(ctx, &request{
		step: step, method: http.MethodPost, url: plain(c.links.authServer).JoinPath(string(step)),
		body: msg, out: out, public: public,
	})
	return err
}

// binds tells whether the deployment knows binding proofs.
func (c *Client) binds() bool {
	return c.suite.ID().Dialect == protocol.RFC9380 && c.settings.Suite != ""
}

func (p *proof) run(ctx context.Context, send exchange) (*Proof, error) {
	c := p.client
	start := time.Now()
	prover, err := c.suite.NewProver(p.point, p.secret, p.permit, c.opt.Rand)
	if err != nil {
		return nil, err
	}
	m := prover.Pass1()
	one := wire.Pass1Request{MpinID: p.id.MpinID, U: hexOf(m.U), UT: hexOf(m.UT), Pass: 1}
	if p.permit != nil && c.binds() {
		binding, err := prover.ProveBinding(c.opt.Rand)
		if err != nil {
			return nil, err
		}
		one.Proof = hexOf(binding)
	}
	c.trace(StepCompute1, start, 0, nil, nil)
	var challenge wire.Pass1Answer
	err = send(ctx, StepPass1, &one, &challenge, func() map[string]string {
		return map[string]string{"hash": hashText(p.id.MpinID), "U": one.U, "UT": one.UT, "proof": one.Proof, "y": challenge.Y}
	})
	if err != nil {
		return nil, err
	}
	start = time.Now()
	y, err := fromHex(challenge.Y, wire.MaxPoint)
	if err != nil {
		return nil, nonsense(StepPass1, "challenge: %w", err)
	}
	v, err := prover.Pass2(y)
	if err != nil {
		return nil, nonsense(StepPass1, "%w", err)
	}
	c.trace(StepCompute2, start, 0, nil, nil)
	two := wire.Pass2Request{MpinID: p.id.MpinID, V: hexOf(v), WID: "0", Pass: 2}
	if p.opt.OTP {
		two.OTP = 1
	}
	if p.opt.WID != "" {
		two.WID = p.opt.WID
	}
	var a wire.Pass2Answer
	err = send(ctx, StepPass2, &two, &a, func() map[string]string { return map[string]string{"V": two.V} })
	if err != nil {
		return nil, err
	}
	if err := checkOTT(a.AuthOTT); err != nil {
		return nil, nonsense(StepPass2, "%w", err)
	}
	return &Proof{AuthOTT: a.AuthOTT, OTP: words(a.OTP)}, nil
}

// verdicts are the kinds of error of a login that was judged.
var verdicts = map[int]error{
	http.StatusUnauthorized:       ErrWrongPIN,
	http.StatusForbidden:          ErrRevoked,
	http.StatusGone:               ErrBlocked,
	http.StatusRequestTimeout:     ErrExpired,
	http.StatusPreconditionFailed: ErrExpired,
}

// Session is a login that the relying party accepted.
type Session struct {
	// UserID is who is logged in, as the relying party says.
	UserID string
	// OTP is the one-time password that was asked for.
	OTP string
	// LogoutURL and LogoutData are what the relying party wants posted to log
	// out. Cookies are what it set; in a browser the browser keeps them.
	LogoutURL  string
	LogoutData json.RawMessage
	Cookies    []*http.Cookie
}

// String names the user, and neither cookies nor one-time password.
func (s *Session) String() string { return "session of " + s.UserID }

// Redeem shows a proof to the relying party, which has the service judge it.
// It is not tried again: a proof is judged once. Errors: ErrWrongPIN, ErrBlocked,
// ErrRevoked, ErrExpired, ErrRefused, ErrServer, ErrUnreachable, ErrBusy.
func (c *Client) Redeem(ctx context.Context, authOTT string) (*Session, error) {
	if c.links.authenticate == nil {
		return nil, nonsense(StepAuthenticate, "the settings name no authenticateURL")
	}
	body := wire.AuthenticateRequest{MpinResponse: wire.MpinResponse{AuthOTT: authOTT, Version: wire.Version, Pass: 2}}
	a, err := c.do(ctx, &request{
		step: StepAuthenticate, method: http.MethodPost, url: c.links.authenticate, body: body, kinds: verdicts,
	})
	if err != nil {
		return nil, err
	}
	// What a relying party answers is its own affair; ours answers with this.
	var said wire.LoginAnswer
	if decode(a.raw, &said) != nil {
		said = wire.LoginAnswer{}
	}
	return &Session{UserID: words(said.UserID), LogoutURL: said.LogoutURL, LogoutData: said.LogoutData, Cookies: a.cookies}, nil
}

// LoginOptions say how to log in.
type LoginOptions struct {
	// OTP asks for a one-time password besides.
	OTP bool
}

// Login logs in: Prove, then Redeem. After a refusal the next login gets its
// permit anew, in case that was the reason. Errors: those of both.
func (c *Client) Login(ctx context.Context, id *Identity, pin *PIN, opt LoginOptions) (*Session, error) {
	p, err := c.Prove(ctx, id, pin, ProveOptions{OTP: opt.OTP})
	if err != nil {
		return nil, err
	}
	s, err := c.Redeem(ctx, p.AuthOTT)
	if err != nil {
		if errors.Is(err, ErrWrongPIN) {
			id.doubt()
		}
		return nil, err
	}
	s.OTP = p.OTP
	return s, nil
}

// Logout ends a session. Error: ErrState where the relying party gave no address
// to do so.
func (c *Client) Logout(ctx context.Context, s *Session) error {
	return c.logout(ctx, c.links.authenticate, s.LogoutURL, s.LogoutData, s.Cookies)
}

// logout posts data to an address relative to that of who gave it.
func (c *Client) logout(ctx context.Context, from *url.URL, at string, data json.RawMessage, cookies []*http.Cookie) error {
	if at == "" || from == nil {
		return fmt.Errorf("%w: no address to log out at", ErrState)
	}
	u, err := from.Parse(at)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || from.Scheme == "https") {
		return nonsense(StepLogout, "the address to log out at is none that will be used")
	}
	r := &request{step: StepLogout, method: http.MethodPost, url: u, again: true}
	if len(data) > 0 {
		r.body = data
	}
	// Cookies go back to where they came from and nowhere else.
	if u.Host == from.Host {
		r.cookies = cookies
	}
	_, err = c.do(ctx, r)
	return err
}

// lock waits for the identity's turn to prove itself.
func (id *Identity) lock(ctx context.Context) error {
	id.mu.Lock()
	if id.turn == nil {
		id.turn = make(chan struct{}, 1)
	}
	turn := id.turn
	id.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (id *Identity) unlock() { <-id.turn }
