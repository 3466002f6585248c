package rps

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"

	"mpinlab/sim/wire"
)

// seedSize is the number of random bytes that a client gets to seed its
// generator with, beside its own.
const seedSize = 100

// settings tells a client where everything is.
func (s *Server) settings() (*wire.ClientSettings, error) {
	var seed [seedSize]byte
	if _, err := io.ReadFull(s.random, seed[:]); err != nil {
		return nil, fmt.Errorf("drawing a seed: %w", err)
	}
	base := s.cfg.BaseURL
	c := &wire.ClientSettings{
		CertivoxURL:             s.cfg.CertivoxURL,
		SignatureURL:            base + "/signature",
		RegisterURL:             base + "/user",
		TimePermitsURL:          base + "/timePermit",
		TimePermitsStorageURL:   s.cfg.PermitStorageURL,
		SetupDoneURL:            base + "/setupDone",
		MpinAuthServerURL:       base,
		AuthenticateURL:         s.cfg.AuthenticateURL,
		MobileAuthenticateURL:   s.cfg.MobileAuthenticateURL,
		SetDeviceName:           s.cfg.SetDeviceName,
		AccessNumberUseCheckSum: true,
		AccessNumberDigits:      wire.AccessNumberDigits,
		CSum:                    1,
		AppID:                   s.cfg.AppID,
		RequestOTP:              s.cfg.RequestOTP,
		SeedValue:               hex.EncodeToString(seed[:]),
		UseWebSocket:            !s.cfg.NoWebSocket,
		SupportedProtocols:      []string{"2pass"},
		GetQrURL:                base + "/getQrUrl",
		CodeStatusURL:           base + "/codeStatus",
		Suite:                   s.suite.ID().String(),
		PINDigits:               &s.cfg.PINDigits,
		ShareKeys:               s.cfg.ShareKeys,
		Threshold:               s.cfg.Threshold,
	}
	if !s.cfg.RequestOTP {
		c.AccessNumberURL = base + "/access"
		c.GetAccessNumberURL = base + "/getAccessNumber"
	}
	return c, nil
}

// origin is the base URL without its path, which the original calls
// rpsBaseURL: what a QR code begins with, and what the application is told.
func origin(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", errors.New("the base URL is not like https://host/rps")
	}
	return u.Scheme + "://" + u.Host, nil
}

// flag is 0 or 1. The original takes whatever Python makes an integer of, and
// its clients send numbers, texts and truth values.
type flag int

// UnmarshalJSON reads 0, 1, "0", "1", false, true and null.
func (f *flag) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "0", `"0"`, "false", "null", `""`:
		*f = 0
	case "1", `"1"`, "true":
		*f = 1
	default:
		return fmt.Errorf("%w: neither 0 nor 1", wire.ErrMalformed)
	}
	return nil
}

// text is a string, or the JSON of anything else: numbers where the original's
// clients write digits, and what an application has its pages hand on.
type text string

// UnmarshalJSON reads any JSON; null is the empty text.
func (t *text) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		*t = ""
		return nil
	case b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return fmt.Errorf("%w: not a string", wire.ErrMalformed)
		}
		*t = text(s)
		return nil
	}
	*t = text(b)
	return nil
}

// registerRequest is wire.RegisterRequest as clients of other makers write it.
type registerRequest struct {
	UserID     string `json:"userId"`
	Mobile     flag   `json:"mobile"`
	DeviceName string `json:"deviceName"`
	RegOTT     string `json:"regOTT"`
	UserData   text   `json:"userData"`
}

// pass1Request is wire.Pass1Request as clients of other makers write it.
type pass1Request struct {
	MpinID string `json:"mpin_id"`
	UT     string `json:"UT"`
	U      string `json:"U"`
	Pass   text   `json:"pass"`
	Proof  string `json:"proof"`
}

// pass2Request is wire.Pass2Request as clients of other makers write it.
type pass2Request struct {
	MpinID string `json:"mpin_id"`
	V      string `json:"V"`
	OTP    flag   `json:"OTP"`
	WID    text   `json:"WID"`
	Pass   text   `json:"pass"`
}
