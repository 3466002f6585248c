package client

import (
	"encoding/hex"
	"time"
)

// Step is one thing that a client does.
type Step string

// The steps: requests by the name that wire.md has for them, and computations.
const (
	StepSettings           Step = "settings"
	StepRegister           Step = "register"
	StepSignature          Step = "signature"
	StepClientSecret       Step = "clientSecret"
	StepSetupDone          Step = "setupDone"
	StepTimePermit         Step = "timePermit"
	StepPermitStorage      Step = "permitStorage"
	StepPermitDTA          Step = "permitDTA"
	StepComputeToken       Step = "computeToken"  // the PIN put back into the token
	StepComputePermit      Step = "computePermit" // the permit's halves read, checked and added
	StepCompute1           Step = "compute1"      // U, U_T and the proof that binds them
	StepPass1              Step = "pass1"
	StepCompute2           Step = "compute2" // V
	StepPrepare            Step = "prepare"  // all that Prepare does
	StepPass2              Step = "pass2"
	StepAuthenticate       Step = "authenticate"
	StepLogout             Step = "logout"
	StepAccessNumber       Step = "accessNumber"
	StepQRCode             Step = "qrCode"
	StepAccess             Step = "access"
	StepCodeStatus         Step = "codeStatus"
	StepMobileAuthenticate Step = "mobileAuthenticate"
	StepWebSocket          Step = "websocket"
	StepOutbox             Step = "outbox"
	StepActivate           Step = "activate"
)

// Event is a step that is over.
type Event struct {
	Step     Step
	Start    time.Time
	Duration time.Duration
	// Status is the HTTP status, 0 where there was none.
	Status int
	Err    error
	// Public is what went over the wire for everybody on it to see: identity
	// hash, points, challenge, date. Tokens, PINs and one-time tokens are
	// never in it. Receivers must not change it.
	Public map[string]string
}

// trace reports a step. public is only called if somebody listens.
func (c *Client) trace(step Step, start time.Time, status int, err error, public func() map[string]string) {
	if c.opt.Trace == nil {
		return
	}
	e := Event{Step: step, Start: start, Duration: time.Since(start), Status: status, Err: err}
	if public != nil {
		e.Public = public()
	}
	c.opt.Trace(e)
}

// traceNow begins a computation; what it returns ends it.
func (c *Client) traceNow(step Step) func() {
	start := time.Now()
	return func() { c.trace(step, start, 0, nil, nil) }
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
