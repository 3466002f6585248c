package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/client/internal/http"
	"mpinlab/sim/wire"
)

// Registration is who wants to register, on what.
type Registration struct {
	// UserID is the relying party's name for the user.
	UserID string
	// DeviceName is what the user calls the device; where the deployment's
	// settings ask for one.
	DeviceName string
	// UserData is passed on to the relying party.
	UserData string
	// Mobile says that this is a phone.
	Mobile bool
}

// Register registers a user. The identity that it returns is pending: it has no
// token until [Client.Enrol] succeeded, before Expires. Errors: ErrRefused,
// ErrServer, ErrUnreachable, ErrBusy, wire.ErrMalformed for an unusable user ID.
func (c *Client) Register(ctx context.Context, r Registration) (*Identity, error) {
	id := &Identity{UserID: r.UserID, DeviceName: r.DeviceName, Mobile: r.Mobile}
	return id, c.register(ctx, c.links.register.String(), id, r.UserData)
}

// RegisterAgain asks for a pending registration once more, as for another mail
// with the link. The deployment may answer with a new MpinID, which id gets; its
// fields change.
func (c *Client) RegisterAgain(ctx context.Context, id *Identity) error {
	if id.State != StatePending {
		return fmt.Errorf("%w: %s has its token already", ErrState, id)
	}
	if _, err := wire.RawIdentity(id.MpinID); err != nil {
		return err
	}
	return c.register(ctx, c.links.register.JoinPath(id.MpinID).String(), id, "")
}

func (c *Client) register(ctx context.Context, at string, id *Identity, userData string) error {
	if err := wire.CheckUserID(id.UserID); err != nil {
		return fmt.Errorf("user ID: %w", err)
	}
	u, err := c.links.register.Parse(at)
	if err != nil {
		return nonsense(StepRegister, "malformed address")
	}
	body := wire.RegisterRequest{UserID: id.UserID, DeviceName: id.DeviceName, RegOTT: id.RegOTT, UserData: userData}
	if id.Mobile {
		body.Mobile = 1
	}
	var a wire.RegisterAnswer
	_, err = c.do(ctx, &request{
		step: StepRegister, method: http.MethodPut, url: u, body: body, out: &a,
		public: func() map[string]string { return map[string]string{"userId": id.UserID, "hash": hashText(a.MpinID)} },
	})
	if err != nil {
		return err
	}
	if _, err := wire.ParseIdentity(a.MpinID); err != nil {
		return nonsense(StepRegister, "%w", err)
	}
	if err := checkOTT(a.RegOTT); err != nil {
		return nonsense(StepRegister, "%w", err)
	}
	id.MpinID, id.RegOTT, id.State = a.MpinID, a.RegOTT, StatePending
	id.Server, id.Suite = c.base, c.suite.ID().String()
	id.Expires = c.opt.Now().Add(lifetime(a.NowTime, a.ExpireTime))
	id.mu.Lock()
	id.permit, id.point = nil, nil
	id.mu.Unlock()
	return nil
}

// hashText is hash_mpin_id for a tracer, empty for what is none.
func hashText(mpinID string) string {
	raw, err := wire.RawIdentity(mpinID)
	if err != nil {
		return ""
	}
	h := wire.HashIdentity(raw)
	return hexOf(h[:])
}

// lifetime is how long a registration lasts: the difference of two times by the
// server's clock, or what wire.md says where they are not to be understood.
func lifetime(now, expire string) time.Duration {
	from, err1 := time.Parse(wire.TimestampLayout, now)
	to, err2 := time.Parse(wire.TimestampLayout, expire)
	if d := to.Sub(from); err1 == nil && err2 == nil && d > 0 && d < 30*24*time.Hour {
		return d
	}
	return time.Hour
}

// Enrolment is a client secret that waits for its PIN.
type Enrolment struct {
	client *Client
	id     *Identity
	point  *protocol.Identity

	mu     sync.Mutex
	secret *protocol.ClientSecret // nil once used
}

// String names the identity, and no secret.
func (e *Enrolment) String() string { return "enrolment of " + e.id.String() }

// Enrol fetches both halves of the client secret of a pending identity, checks
// the D-TAs' shares where their keys are known, and adds them up. The
// deployment gives the first half out once: if the second cannot be had
// afterwards, RegisterAgain starts anew. Errors: ErrNotActivated,
// ErrUnknownIdentity, ErrExpired, ErrBadShare, ErrState, ErrServer,
// ErrUnreachable, ErrBusy.
func (c *Client) Enrol(ctx context.Context, id *Identity) (*Enrolment, error) {
	if id.State != StatePending {
		return nil, fmt.Errorf("%w: %s has its token already", ErrState, id)
	}
	point, err := id.hashed(c.suite)
	if err != nil {
		return nil, err
	}
	u := c.links.signature.JoinPath(id.MpinID)
	q := u.Query()
	q.Set("regOTT", id.RegOTT)
	u.RawQuery = q.Encode()
	var first wire.SignatureAnswer
	_, err = c.do(ctx, &request{
		step: StepSignature, method: http.MethodGet, url: u, out: &first, secret: true,
		kinds: map[int]error{
			http.StatusUnauthorized: ErrNotActivated,
			http.StatusBadRequest:   ErrUnknownIdentity, http.StatusNotFound: ErrUnknownIdentity,
			http.StatusRequestTimeout: ErrExpired, http.StatusGone: ErrExpired,
		},
	})
	if err != nil {
		return nil, err
	}
	at, err := c.links.certivox.Parse("clientSecret?" + strings.TrimPrefix(first.Params, "?"))
	if err != nil || first.Params == "" || at.Host != c.links.certivox.Host {
		return nil, nonsense(StepSignature, "malformed params")
	}
	var second wire.ClientSecretAnswer
	_, err = c.do(ctx, &request{
		step: StepClientSecret, method: http.MethodGet, url: at, out: &second, again: true, secret: true,
		kinds: map[int]error{http.StatusRequestTimeout: ErrExpired},
	})
	if err != nil {
		return nil, err
	}
	secret, err := c.clientSecret(point, &first, &second)
	if err != nil {
		return nil, err
	}
	return &Enrolment{client: c, id: id, point: point, secret: secret}, nil
}

// EnrolWhenActive is Enrol, asking every now and then until the user has
// followed the link. Errors: those of Enrol but ErrNotActivated, ErrExpired when
// the registration has, ctx's.
func (c *Client) EnrolWhenActive(ctx context.Context, id *Identity, every time.Duration) (*Enrolment, error) {
	for {
		e, err := c.Enrol(ctx, id)
		switch {
		case errors.Is(err, ErrBusy):
			every = min(2*every, time.Minute)
		case !errors.Is(err, ErrNotActivated):
			return e, err
		}
		if !id.Expires.IsZero() && c.opt.Now().After(id.Expires) {
			return nil, fmt.Errorf("%w: the registration was not activated in time", ErrExpired)
		}
		if err := wait(ctx, every); err != nil {
			return nil, err
		}
	}
}

// SetPIN takes the PIN out of the client secret and drops the secret. The
// identity is active then; its fields change. Store it, then call
// [Client.SetupDone]. Errors: ErrPIN, after which another PIN may be set, and
// ErrState the second time. Constant-time where the backend is.
func (e *Enrolment) SetPIN(pin *PIN) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.secret == nil {
		return fmt.Errorf("%w: the PIN was set", ErrState)
	}
	if err := e.client.CheckPIN(pin); err != nil {
		return err
	}
	factor, err := pin.factor(e.client.suite)
	if err != nil {
		return err
	}
	token, err := e.secret.Token(e.point, factor)
	if err != nil {
		return err
	}
	e.secret = nil
	e.id.Token, e.id.State = token.Bytes(), StateActive
	e.id.RegOTT, e.id.Expires, e.id.Announced = "", time.Time{}, false
	return nil
}

// CheckPIN tells whether a new PIN has a length that the deployment takes and
// all of whose digits count: the dialects of MIRACL and Milagro keep the last
// four only. Error: ErrPIN.
func (c *Client) CheckPIN(pin *PIN) error {
	n := pin.Len()
	if c.suite.ID().Dialect != protocol.RFC9380 && n > 4 {
		return fmt.Errorf("%w: of %d digits only the last 4 would count", ErrPIN, n)
	}
	if d := c.settings.PINDigits; d != nil && (n < d.Min || n > d.Max) {
		return fmt.Errorf("%w: %d to %d digits, not %d", ErrPIN, d.Min, d.Max, n)
	}
	if n == 0 {
		return fmt.Errorf("%w: it was wiped", ErrPIN)
	}
	return nil
}

// SetupDone tells the deployment that the identity has its token. It may be
// called again until it succeeds. The field Announced changes.
func (c *Client) SetupDone(ctx context.Context, id *Identity) error {
	if id.State == StatePending {
		return fmt.Errorf("%w: %s has no token yet", ErrState, id)
	}
	if _, err := wire.RawIdentity(id.MpinID); err != nil {
		return err
	}
	_, err := c.do(ctx, &request{
		step: StepSetupDone, method: http.MethodPost, url: c.links.setupDone.JoinPath(id.MpinID), again: true,
		kinds: map[int]error{http.StatusBadRequest: ErrUnknownIdentity, http.StatusNotFound: ErrUnknownIdentity},
	})
	if err == nil {
		id.Announced = true
	}
	return err
}
