//go:build js && wasm

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/client"
	"mpinlab/sim/pinpad/weak"
	"mpinlab/sim/wire"
)

// input is the arguments of every call; each takes what it needs.
type input struct {
	ID         string `json:"id"` // an identity's mpinId
	UserID     string `json:"userId"`
	DeviceName string `json:"deviceName"`
	Mobile     bool   `json:"mobile"`
	Code       string `json:"code"`
	Approval   int    `json:"approval"`
	NoSocket   bool   `json:"noSocket"`

	pin    *client.PIN
	digits []byte      // the same PIN; wiped by run's caller
	old    *client.PIN // for changePIN, which takes two
}

// calls are what the page can ask for.
var calls = map[string]func(*program, *input) (any, error){
	"open":          open,
	"identities":    identities,
	"register":      register,
	"registerAgain": registerAgain,
	"enrol":         enrol,
	"weak":          weakness,
	"finish":        finish,
	"prepare":       prepare,
	"login":         login,
	"changePIN":     changePIN,
	"codes":         (*program).startCodes,
	"cancelCodes":   (*program).cancelCodes,
	"scanned":       scanned,
	"decline":       decline,
	"approve":       approve,
	"logoutBrowser": logoutBrowser,
	"forget":        forget,
}

// opened is the result of open: what the page must know of the deployment.
type opened struct {
	Suite         string         `json:"suite"`
	PIN           wire.PINDigits `json:"pin"`
	SetDeviceName bool           `json:"setDeviceName"`
	NumberDigits  int            `json:"numberDigits"`
	Codes         bool           `json:"codes"`
}

func open(p *program, a *input) (any, error) {
	c, err := client.Open(context.Background(), p.origin, client.Options{
		Suites: suites, WebSocket: !a.NoSocket, Trace: p.tracing.event,
	})
	if err != nil {
		return nil, err
	}
	p.device = client.NewDevice(c, client.NewWallet(&vault{p.host}))
	s := c.Settings()
	o := opened{
		Suite: c.Suite().ID().String(), PIN: wire.PINDigits{Min: 4, Max: 12}, SetDeviceName: s.SetDeviceName,
		NumberDigits: s.AccessNumberDigits, Codes: !s.RequestOTP && s.GetAccessNumberURL != "",
	}
	if s.PINDigits != nil {
		o.PIN = *s.PINDigits
	}
	if c.Suite().ID().Dialect != protocol.RFC9380 {
		o.PIN = wire.PINDigits{Min: 4, Max: 4}
	}
	return o, nil
}

// card is an identity as the page shows it.
type card struct {
	ID         string       `json:"id"`
	Hash       string       `json:"hash"`
	UserID     string       `json:"userId"`
	DeviceName string       `json:"deviceName"`
	State      client.State `json:"state"`
}

func cardOf(id *client.Identity) card {
	c := card{ID: id.MpinID, UserID: id.UserID, DeviceName: id.DeviceName, State: id.State}
	if raw, err := wire.RawIdentity(id.MpinID); err == nil {
		h := wire.HashIdentity(raw)
		c.Hash = fmt.Sprintf("%x", h)
	}
	return c
}

func identities(p *program, _ *input) (any, error) {
	ids, err := p.device.Wallet.List(context.Background())
	if err != nil {
		return nil, err
	}
	cards := []card{}
	for _, id := range ids {
		cards = append(cards, cardOf(id))
	}
	return cards, nil
}

// find returns an identity as it is stored: the one found before if it is still
// the same, as that has its point on the curve already.
func (p *program) find(mpinID string) (*client.Identity, error) {
	ids, err := p.device.Wallet.List(context.Background())
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if id.MpinID != mpinID {
			continue
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if known := p.known[mpinID]; known != nil && same(known, id) {
			return known, nil
		}
		p.known[mpinID] = id
		return id, nil
	}
	return nil, client.ErrNotFound
}

func same(a, b *client.Identity) bool {
	x, err1 := a.Record()
	y, err2 := b.Record()
	defer clear(x)
	defer clear(y)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

func register(p *program, a *input) (any, error) {
	id, err := p.device.Register(context.Background(), client.Registration{
		UserID: a.UserID, DeviceName: a.DeviceName, Mobile: a.Mobile,
	})
	if err != nil {
		return nil, err
	}
	return cardOf(id), nil
}

func registerAgain(p *program, a *input) (any, error) {
	id, err := p.find(a.ID)
	if err != nil {
		return nil, err
	}
	if err := p.device.RegisterAgain(context.Background(), id); err != nil {
		return nil, err
	}
	return cardOf(id), nil
}

// enrolment is a client secret that waits for its PIN to be chosen.
type enrolment struct {
	id *client.Identity
	*client.Enrolment
}

// enrol asks once for the client secret, and keeps it until finish.
func enrol(p *program, a *input) (any, error) {
	p.mu.Lock()
	kept := p.enrolments[a.ID]
	p.mu.Unlock()
	if kept != nil {
		return true, nil
	}
	id, err := p.find(a.ID)
	if err != nil {
		return nil, err
	}
	e, err := p.device.Enrol(context.Background(), id)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.enrolments[a.ID] = &enrolment{id, e}
	p.mu.Unlock()
	return true, nil
}

// weakness is why the PIN is weak, "" if it is not.
func weakness(p *program, a *input) (any, error) {
	if a.pin == nil {
		return nil, client.ErrPIN
	}
	if err := p.device.CheckPIN(a.pin); err != nil {
		return nil, err
	}
	return weak.Check(a.digits), nil
}

func finish(p *program, a *input) (any, error) {
	p.mu.Lock()
	e := p.enrolments[a.ID]
	p.mu.Unlock()
	if e == nil || a.pin == nil {
		return nil, client.ErrState
	}
	if err := p.device.Finish(context.Background(), e.id, e.Enrolment, a.pin); err != nil {
		return nil, err
	}
	p.mu.Lock()
	delete(p.enrolments, a.ID)
	p.mu.Unlock()
	return cardOf(e.id), nil
}

// rehearsals is how often prepare goes through the computing of a login, so that
// the browser's optimising compiler takes it up. Some two are enough for that; the
// others run while it compiles.
const rehearsals = 6

// prepare computes what can be before the PIN is there, while it is being typed,
// once for an identity, and stops when a login begins. Between its parts digits are
// let in.
func prepare(p *program, a *input) (any, error) {
	id, err := p.find(a.ID)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	begun, before := p.logins, p.prepared[a.ID]
	p.prepared[a.ID] = id
	p.mu.Unlock()
	if before == id {
		return true, nil
	}
	for range rehearsals {
		p.mu.Lock()
		over := p.logins != begun
		p.mu.Unlock()
		if over {
			break
		}
		if err := p.device.Prepare(id); err != nil {
			return nil, err
		}
		time.Sleep(breath)
	}
	return true, nil
}

// breath is long enough for messages from the page to be taken.
const breath = 5 * time.Millisecond

// begin notes that a login begins.
func (p *program) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.logins++
}

// welcome is the result of login. The times are those of spent.
type welcome struct {
	UserID   string  `json:"userId"`
	OTP      string  `json:"otp,omitempty"`
	WorkMS   float64 `json:"workMs"`
	CryptoMS float64 `json:"cryptoMs"`
	AheadMS  float64 `json:"aheadMs"`
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func login(p *program, a *input) (any, error) {
	p.begin()
	id, err := p.find(a.ID)
	if err != nil {
		return nil, err
	}
	if a.pin == nil {
		return nil, client.ErrPIN
	}
	p.tracing.measure()
	start := time.Now()
	s, err := p.device.Login(context.Background(), id, a.pin, client.LoginOptions{OTP: p.device.Settings().RequestOTP})
	spent := p.tracing.spent(time.Since(start))
	if err != nil {
		return nil, err
	}
	return welcome{s.UserID, s.OTP, milliseconds(spent.work), milliseconds(spent.crypto), milliseconds(spent.ahead)}, nil
}

// changePIN puts the PIN in the place of the old one, and logs in with it.
func changePIN(p *program, a *input) (any, error) {
	p.begin()
	id, err := p.find(a.ID)
	if err != nil {
		return nil, err
	}
	if a.pin == nil || a.old == nil {
		return nil, client.ErrPIN
	}
	s, err := p.device.ReplacePIN(context.Background(), id, a.old, a.pin)
	if err != nil {
		return nil, err
	}
	return welcome{UserID: s.UserID}, nil
}

func scanned(p *program, a *input) (any, error) {
	return true, p.device.Scanned(context.Background(), a.Code, a.UserID)
}

func decline(p *program, a *input) (any, error) {
	return true, p.device.Decline(context.Background(), a.Code)
}

// approve logs in the browser that shows a code. Its result names the approval
// for logoutBrowser, 0 where the application told no way to log out.
func approve(p *program, a *input) (any, error) {
	p.begin()
	id, err := p.find(a.ID)
	if err != nil {
		return nil, err
	}
	if a.pin == nil {
		return nil, client.ErrPIN
	}
	done, err := p.device.Approve(context.Background(), id, a.pin, a.Code)
	if err != nil {
		return nil, err
	}
	if done.LogoutURL == "" {
		return 0, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.approvals = append(p.approvals, done)
	return len(p.approvals), nil
}

func logoutBrowser(p *program, a *input) (any, error) {
	p.mu.Lock()
	n := len(p.approvals)
	p.mu.Unlock()
	if a.Approval < 1 || a.Approval > n {
		return nil, client.ErrState
	}
	return true, p.device.LogoutBrowser(context.Background(), p.approvals[a.Approval-1])
}

func forget(p *program, a *input) (any, error) {
	p.mu.Lock()
	delete(p.known, a.ID)
	delete(p.prepared, a.ID)
	p.mu.Unlock()
	err := p.device.Wallet.Delete(context.Background(), a.ID)
	if errors.Is(err, client.ErrNotFound) {
		err = nil
	}
	return true, err
}
