package deploy

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/client"
	"mpinlab/sim/wire"
)

// bare logs one user in with nothing but what has to be sent: pass 1, pass 2 and
// the relying party's authenticate.
type bare struct {
	suite    *protocol.Suite
	identity *protocol.Identity
	secret   *protocol.ClientSecret
	permit   *protocol.Permit
	mpinID   string
	// rps is the RPS's base, rpa where logins are redeemed.
	rps, rpa string
	http     *http.Client
	record   *recorder
}

// bareTransport is shared by all, as a browser's pool is by its pages.
var bareTransport = newTransport(nil)

// newBare makes a login of an identity with PIN 1234 and today's permit.
func newBare(ctx context.Context, c *client.Client, id *client.Identity, r *recorder) (login, error) {
	permit, err := c.Permit(ctx, id)
	if err != nil {
		return nil, err
	}
	raw, err := wire.RawIdentity(id.MpinID)
	if err != nil {
		return nil, err
	}
	settings, s := c.Settings(), c.Suite()
	b := &bare{
		suite: s, permit: permit, mpinID: id.MpinID, rps: settings.MpinAuthServerURL, rpa: settings.AuthenticateURL,
		http: &http.Client{Transport: bareTransport, Timeout: 30 * time.Second}, record: r,
	}
	if b.identity, err = s.Identity(raw); err != nil {
		return nil, err
	}
	token, err := s.DecodeToken(id.Token)
	if err != nil {
		return nil, err
	}
	pin, err := s.PIN("1234")
	if err != nil {
		return nil, err
	}
	if b.secret, err = token.Secret(b.identity, pin); err != nil {
		return nil, err
	}
	return b.login, nil
}

func (b *bare) login(ctx context.Context) error {
	prover, err := b.suite.NewProver(b.identity, b.secret, b.permit, nil)
	if err != nil {
		return err
	}
	m := prover.Pass1()
	var one wire.Pass1Answer
	err = b.post(ctx, client.StepPass1, b.rps+"/pass1", wire.Pass1Request{
		MpinID: b.mpinID, U: hex.EncodeToString(m.U), UT: hex.EncodeToString(m.UT), Pass: 1,
	}, &one)
	if err != nil {
		return err
	}
	y, err := hex.DecodeString(one.Y)
	if err != nil {
		return err
	}
	v, err := prover.Pass2(y)
	if err != nil {
		return err
	}
	var two wire.Pass2Answer
	err = b.post(ctx, client.StepPass2, b.rps+"/pass2", wire.Pass2Request{MpinID: b.mpinID, V: hex.EncodeToString(v), WID: "0", Pass: 2}, &two)
	if err != nil {
		return err
	}
	var in wire.LoginAnswer
	return b.post(ctx, client.StepAuthenticate, b.rpa, wire.AuthenticateRequest{
		MpinResponse: wire.MpinResponse{AuthOTT: two.AuthOTT, Version: two.Version, Pass: two.Pass},
	}, &in)
}

func (b *bare) post(ctx context.Context, step client.Step, url string, body, answer any) error {
	start := time.Now()
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	reply, err := b.http.Do(request)
	if err != nil {
		return fmt.Errorf("%s: %s", step, errorKind(err))
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(io.LimitReader(reply.Body, wire.MaxAnswer))
	if err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", step, reply.StatusCode)
	}
	if b.record.on.Load() {
		b.record.add(string(step), time.Since(start))
	}
	return json.Unmarshal(text, answer)
}
