package load

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"mpinlab/protocol"
	"mpinlab/sim/dta"
	"mpinlab/sim/seal"
	"mpinlab/sim/wire"
)

// issuer plays all D-TAs of a deployment that the generator started itself: it
// has their shares from the data folder. With it a user's token costs a few
// multiplications instead of a registration over the wire, and is the same.
type issuer struct {
	suite  *protocol.Suite
	shares []*protocol.MasterSecret
	server *protocol.ServerSecret
}

// newIssuer reads the D-TAs' shares of a deployment's data folder, which must be
// sealed with none, into a suite of the generator's own.
func newIssuer(ctx context.Context, suite *protocol.Suite, data string) (*issuer, error) {
	var about struct {
		DTAs      int    `json:"dtas"`
		Threshold int    `json:"threshold"`
		AppID     string `json:"appId"`
		Suite     string `json:"suite"`
	}
	b, err := os.ReadFile(filepath.Join(data, "set-up", "deployment.json"))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &about); err != nil {
		return nil, fmt.Errorf("deployment.json: %w", err)
	}
	sealer, err := seal.Parse(seal.KindNone, seal.Options{})
	if err != nil {
		return nil, err
	}
	defer sealer.Close()
	var set wire.Set
	n := about.DTAs
	if about.Threshold > 0 {
		n = about.Threshold // the canonical set
		for i := range n {
			set = append(set, i+1)
		}
	}
	out := &issuer{suite: suite}
	var server []*protocol.ServerSecret
	for i := 1; i <= n; i++ {
		path := filepath.Join(data, "set-up", fmt.Sprintf("dta-%d", i), about.AppID+".sealed")
		secret, err := seal.Read(ctx, path, sealer, fmt.Sprintf("dta %d of app %s, suite %s", i, about.AppID, about.Suite))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		app, err := dta.DecodeApplication(suite, secret)
		clear(secret)
		if err != nil {
			return nil, err
		}
		share, err := app.Issuer.Master(slices.Clone(set))
		if err != nil {
			return nil, err
		}
		out.shares = append(out.shares, share)
		server = append(server, share.ServerShare())
	}
	out.server, err = protocol.CombineServerSecrets(server...)
	return out, err
}

// secret is s·A.
func (i *issuer) secret(id *protocol.Identity) (*protocol.ClientSecret, error) {
	parts := make([]*protocol.ClientSecret, len(i.shares))
	for k, s := range i.shares {
		var err error
		if parts[k], err = s.ClientShare(id); err != nil {
			return nil, err
		}
	}
	return protocol.CombineClientSecrets(parts...)
}

// permit is s·A_T of a day.
func (i *issuer) permit(id *protocol.Identity, date protocol.Date) (*protocol.Permit, error) {
	parts := make([]*protocol.Permit, len(i.shares))
	for k, s := range i.shares {
		var err error
		if parts[k], err = s.PermitShare(id, date); err != nil {
			return nil, err
		}
	}
	return protocol.CombinePermits(parts...)
}
