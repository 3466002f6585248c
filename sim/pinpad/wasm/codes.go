//go:build js && wasm

package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"rsc.io/qr"

	"mpinlab/sim/client"
	"mpinlab/sim/wire"
)

// pollEvery is how often a page that shows a code asks how far the phone is.
const pollEvery = time.Second

// codes are an access number and a QR code on show, either of which may log this
// browser in.
type codes struct{ cancel context.CancelFunc }

// shown is the result of codes: QR is the code's modules row by row, "1" for
// dark, Link its text.
type shown struct {
	Number  string   `json:"number"`
	Link    string   `json:"link"`
	QR      []string `json:"qr"`
	Seconds int      `json:"seconds"`
}

// codeEvent tells the page how far the phone has come: the states of
// wire.AccessAnswer, then "done" or "failed".
type codeEvent struct {
	Type   string `json:"type"` // "code"
	Status string `json:"status"`
	UserID string `json:"userId,omitempty"`
	Kind   string `json:"kind,omitempty"`
}

// startCodes gets both codes and watches them until one is used, both expire, or
// cancelCodes. The QR code leads to this page, with the fragment that the service
// gave: the service answers at this origin too.
func (p *program) startCodes(*input) (any, error) {
	p.stopCodes()
	ctx, cancel := context.WithCancel(context.Background())
	number, err := p.device.AccessNumber(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	drawn, err := p.device.QRCode(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	_, wid, _ := strings.Cut(drawn.QrURL, "#")
	link := p.origin + "/#" + wid
	modules, err := draw(link)
	if err != nil {
		cancel()
		return nil, err
	}
	p.mu.Lock()
	p.codes = &codes{cancel}
	p.mu.Unlock()
	results := make(chan error, 2)
	for _, code := range []*client.Code{number, drawn} {
		go func() { results <- p.watch(ctx, code) }()
	}
	go func() {
		defer cancel()
		// The first to succeed ends the other; the first to fail waits for it.
		err := <-results
		if err != nil && ctx.Err() == nil {
			err = <-results
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			p.tell(codeEvent{Type: "code", Status: "failed", Kind: kindOf(err)})
		}
	}()
	return shown{number.Number, link, modules, int(time.Until(drawn.Expires).Round(time.Second).Seconds())}, nil
}

// watch follows one code to its end.
func (p *program) watch(ctx context.Context, code *client.Code) error {
	s, err := p.device.AwaitCode(ctx, code, pollEvery, func(s client.CodeState) {
		if s.Status != wire.CodeNew {
			p.tell(codeEvent{Type: "code", Status: s.Status, UserID: s.UserID})
		}
	})
	if err != nil {
		return err
	}
	p.tell(codeEvent{Type: "code", Status: "done", UserID: s.UserID})
	return nil
}

func (p *program) cancelCodes(*input) (any, error) {
	p.stopCodes()
	return true, nil
}

func (p *program) stopCodes() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.codes != nil {
		p.codes.cancel()
		p.codes = nil
	}
}

// draw makes a QR code's rows.
func draw(text string) ([]string, error) {
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, err
	}
	rows := make([]string, c.Size)
	for y := range c.Size {
		row := make([]byte, c.Size)
		for x := range c.Size {
			row[x] = '0'
			if c.Black(x, y) {
				row[x] = '1'
			}
		}
		rows[y] = string(row)
	}
	return rows, nil
}
