package client

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"mpinlab/sim/client/internal/http"
	"mpinlab/sim/wire"
)

// Code is an access number or QR code that a browser shows, for a phone to log
// the browser in with.
type Code struct {
	// Number is the access number, or QrURL the text of the QR code.
	Number, QrURL string
	// Expires is when it does, by the client's clock.
	Expires time.Time

	webOTT string
}

// String is what the browser shows.
func (c *Code) String() string { return c.Number + c.QrURL }

// AccessNumber gets an access number, to be typed on a phone. Errors: ErrState
// where the deployment hands out none, ErrRefused, ErrServer, ErrUnreachable,
// ErrBusy.
func (c *Client) AccessNumber(ctx context.Context) (*Code, error) {
	a, code, err := c.code(ctx, StepAccessNumber, c.links.number)
	if err != nil {
		return nil, err
	}
	if code.Number = words(a.AccessNumber); code.Number == "" {
		return nil, nonsense(StepAccessNumber, "no access number")
	}
	return code, nil
}

// QRCode gets a QR code, to be scanned with a phone. Errors: as AccessNumber.
func (c *Client) QRCode(ctx context.Context) (*Code, error) {
	a, code, err := c.code(ctx, StepQRCode, c.links.qr)
	if err != nil {
		return nil, err
	}
	if code.QrURL = a.QrURL; code.QrURL == "" || len(code.QrURL) > 1024 {
		return nil, nonsense(StepQRCode, "a code of %d bytes", len(a.QrURL))
	}
	return code, nil
}

func (c *Client) code(ctx context.Context, step Step, at *url.URL) (*wire.CodeAnswer, *Code, error) {
	if at == nil {
		return nil, nil, fmt.Errorf("%w: the service hands out no such codes", ErrState)
	}
	var a wire.CodeAnswer
	if _, err := c.do(ctx, &request{step: step, method: http.MethodPost, url: at, out: &a}); err != nil {
		return nil, nil, err
	}
	if err := checkOTT(a.WebOTT); err != nil {
		return nil, nil, nonsense(step, "%w", err)
	}
	if a.TTLSeconds <= 0 || a.TTLSeconds > 24*60*60 {
		return nil, nil, nonsense(step, "a code for %d seconds", a.TTLSeconds)
	}
	return &a, &Code{webOTT: a.WebOTT, Expires: c.opt.Now().Add(time.Duration(a.TTLSeconds) * time.Second)}, nil
}

// CodeState is how far the phone has come with a code: wire.CodeNew, CodeWID,
// CodeUser, CodeExpired or CodeAuthenticate.
type CodeState struct {
	Status string
	// UserID is who the phone says is about to log in: known from CodeUser on,
	// and only true once the login is redeemed.
	UserID string
	// RedirectURL is where the deployment would have the browser go.
	RedirectURL string

	authOTT string
}

// CodeState asks how far the phone has come. Errors: ErrUnknownCode, ErrServer,
// ErrUnreachable, ErrBusy, ErrRefused.
func (c *Client) CodeState(ctx context.Context, code *Code) (*CodeState, error) {
	if c.links.access == nil {
		return nil, fmt.Errorf("%w: the service does not tell the state of codes", ErrState)
	}
	var a wire.AccessAnswer
	s := new(CodeState)
	_, err := c.do(ctx, &request{
		step: StepAccess, method: http.MethodPost, url: c.links.access, body: wire.AccessRequest{WebOTT: code.webOTT},
		out: &a, again: true,
		kinds: map[int]error{http.StatusNotFound: ErrUnknownCode, http.StatusGone: ErrExpired, http.StatusRequestTimeout: ErrExpired},
		public: func() map[string]string {
			return map[string]string{"status": words(a.Status), "userId": words(a.UserID)}
		},
	})
	if err != nil {
		return nil, err
	}
	s.Status, s.UserID, s.RedirectURL, s.authOTT = words(a.Status), words(a.UserID), a.RedirectURL, a.AuthOTT
	return s, nil
}

// AwaitCode asks for a code's state every now and then, tells f (if not nil) when
// it changes, and redeems the login once a phone has made it. Errors: ErrExpired,
// and those of CodeState and Redeem.
func (c *Client) AwaitCode(ctx context.Context, code *Code, every time.Duration, f func(CodeState)) (*Session, error) {
	last := CodeState{}
	for {
		s, err := c.CodeState(ctx, code)
		switch {
		case errors.Is(err, ErrBusy):
			every = min(2*every, 10*time.Second)
		case err != nil:
			return nil, err
		default:
			if f != nil && *s != last {
				f(*s)
			}
			last = *s
			switch s.Status {
			case wire.CodeAuthenticate:
				if err := checkOTT(s.authOTT); err != nil {
					return nil, nonsense(StepAccess, "%w", err)
				}
				return c.Redeem(ctx, s.authOTT)
			case wire.CodeExpired:
				return nil, fmt.Errorf("%w: the code", ErrExpired)
			}
		}
		if c.opt.Now().After(code.Expires) {
			return nil, fmt.Errorf("%w: the code", ErrExpired)
		}
		if err := wait(ctx, every); err != nil {
			return nil, err
		}
	}
}

// phoneWait is how long a phone waits for its login to be taken over by the
// browser: the service's 10 s and some for the way.
const phoneWait = 20 * time.Second

// Approval is a browser's login that a phone has made.
type Approval struct {
	// LogoutURL and LogoutData log the browser out; they may be empty.
	LogoutURL  string
	LogoutData []byte
}

// Approve logs a browser in with the code that it shows: an access number as it
// was typed, or the text of a QR code. It returns when the browser has taken the
// login over. Errors: ErrUnknownCode, ErrWrongPIN, ErrBlocked, ErrExpired where
// no browser took the login over in time, and those of Prove.
func (c *Client) Approve(ctx context.Context, id *Identity, pin *PIN, code string) (*Approval, error) {
	wid, err := c.readCode(code)
	if err != nil {
		return nil, err
	}
	if c.links.mobile == nil {
		return nil, nonsense(StepMobileAuthenticate, "the settings name no mobileAuthenticateURL")
	}
	if err := c.codeStatus(ctx, wire.CodeStatusRequest{Status: wire.CodeWID, WID: wid}); err != nil {
		return nil, err
	}
	if err := c.codeStatus(ctx, wire.CodeStatusRequest{Status: wire.CodeUser, WID: wid, UserID: id.UserID}); err != nil {
		return nil, err
	}
	p, err := c.Prove(ctx, id, pin, ProveOptions{WID: wid})
	if err != nil {
		return nil, err
	}
	var a wire.MobileAnswer
	_, err = c.do(ctx, &request{
		step: StepMobileAuthenticate, method: http.MethodPost, url: c.links.mobile, timeout: max(phoneWait, c.opt.Timeout),
		body: wire.AuthenticateRequest{MpinResponse: wire.MpinResponse{AuthOTT: p.AuthOTT, Version: wire.Version, Pass: 2}},
		out:  &a,
		kinds: map[int]error{
			http.StatusUnauthorized: ErrWrongPIN, http.StatusGone: ErrBlocked,
			http.StatusRequestTimeout: ErrExpired, http.StatusPreconditionFailed: ErrUnknownCode,
		},
	})
	if err != nil {
		if errors.Is(err, ErrWrongPIN) {
			id.doubt()
		}
		return nil, err
	}
	return &Approval{LogoutURL: a.LogoutURL, LogoutData: a.LogoutData}, nil
}

// LogoutBrowser logs the browser out that an approval logged in. Error: ErrState
// where the relying party gave no address to do so.
func (c *Client) LogoutBrowser(ctx context.Context, a *Approval) error {
	return c.logout(ctx, c.links.mobile, a.LogoutURL, a.LogoutData, nil)
}

// codeStatus tells the browser's page how far the phone has come. That is a
// courtesy: only a code that does not exist stops a login, and a service without
// the endpoint does not.
func (c *Client) codeStatus(ctx context.Context, s wire.CodeStatusRequest) error {
	if c.links.status == nil {
		return nil
	}
	_, err := c.do(ctx, &request{
		step: StepCodeStatus, method: http.MethodPost, url: c.links.status, body: s, again: true,
		kinds: map[int]error{
			http.StatusNotFound: ErrUnknownCode, http.StatusPreconditionFailed: ErrUnknownCode,
			http.StatusGone: ErrExpired, http.StatusRequestTimeout: ErrExpired,
		},
	})
	if errors.Is(err, ErrUnknownCode) || errors.Is(err, ErrExpired) || ctx.Err() != nil {
		return err
	}
	return nil
}

// readCode makes a WID of what was typed or scanned: an access number, with
// spaces or hyphens between its digits, a QR code's URL, or its fragment of 32
// hex digits.
func (c *Client) readCode(code string) (string, error) {
	if _, fragment, ok := strings.Cut(code, "#"); ok {
		code = fragment
	}
	code = strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(code))
	if _, err := fromHex(code, 32); err == nil && len(code) == 32 {
		return strings.ToLower(code), nil
	}
	digits := c.settings.AccessNumberDigits
	if digits == 0 {
		digits = wire.AccessNumberDigits
	}
	if len(code) != digits || strings.Trim(code, "0123456789") != "" {
		return "", fmt.Errorf("%w: %d digits, or the text of a QR code, are expected", ErrUnknownCode, digits)
	}
	if c.settings.AccessNumberUseCheckSum && digits == wire.AccessNumberDigits {
		if err := wire.CheckAccessNumber(code); err != nil {
			return "", fmt.Errorf("%w: %w", ErrUnknownCode, err)
		}
	}
	return code, nil
}
