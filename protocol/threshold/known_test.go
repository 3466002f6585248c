package threshold

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/protocol"
)

var update = flag.Bool("update", false, "write testdata/known.json from what the first backend of each curve gives")

// known is a sharing and what three of its five D-TAs issue, in the encodings of
// a suite; scalars and points alone, where a message would hold a header.
type known struct {
	Suite     string            `json:"suite"`
	Threshold int               `json:"threshold"`
	Set       []int             `json:"set"`
	Identity  string            `json:"identity"`
	Date      int32             `json:"date,omitempty"`
	Group     string            `json:"group"` // Group.Bytes
	Shares    []string          `json:"shares"`
	Additive  []string          `json:"additive"`
	Keys      []string          `json:"keys"`
	Clients   []string          `json:"client_secret_shares"`
	Client    string            `json:"client_secret"`
	Permits   []string          `json:"permit_shares,omitempty"`
	Permit    string            `json:"permit,omitempty"`
	Servers   []string          `json:"server_secret_shares"`
	Server    string            `json:"server_secret"`
	Messages  map[string]string `json:"messages"` // of the set's first D-TA
}

// knownOn computes the answers of a suite on its backend.
func knownOn(s *protocol.Suite) known {
	rng := rand.NewChaCha8([32]byte([]byte("threshold known answers, 3 of 5.")))
	master := must(s.NewMasterSecret(rng))
	g, dtas, err := Split(s, master, 3, 5, rng)
	must(g, err)
	id := alice(s)
	k := known{Suite: s.ID().String(), Threshold: 3, Set: []int{5, 2, 4}, Identity: hex.EncodeToString([]byte("alice@example.com")), Messages: map[string]string{}}
	if s.ID().TimePermits() {
		k.Date = 20780
	}
	text := hex.EncodeToString
	k.Group = text(g.Bytes())
	var clients []*ClientShare
	var permits []*PermitShare
	var servers []*ServerShare
	for _, i := range k.Set {
		share := must(g.DecodeShare(dtas[i-1].Bytes()))
		client, server := must(share.ClientShare(id)), share.ServerShare()
		clients, servers = append(clients, client), append(servers, server)
		k.Shares = append(k.Shares, text(s.EncodeScalar(share.value)))
		k.Additive = append(k.Additive, text(must(share.Additive(k.Set)).Bytes()))
		k.Keys = append(k.Keys, text(share.Key().Bytes()))
		k.Clients = append(k.Clients, text(s.EncodeG1(client.point)))
		k.Servers = append(k.Servers, text(s.EncodeG2(server.point)))
		messages := map[string][]byte{"share": share.Bytes(), "client_share": client.Bytes(), "server_share": server.Bytes()}
		if k.Date != 0 {
			permit := must(share.PermitShare(id, protocol.Date(k.Date)))
			permits = append(permits, permit)
			k.Permits = append(k.Permits, text(s.EncodeG1(permit.point)))
			messages["permit_share"] = permit.Bytes()
		}
		if len(clients) == 1 {
			for name, b := range messages {
				k.Messages[name] = text(b)
			}
		}
	}
	k.Client = text(must(CombineClientSecrets(3, clients...)).Bytes())
	k.Server = text(must(CombineServerSecrets(3, servers...)).Bytes())
	if k.Date != 0 {
		k.Permit = text(must(CombinePermits(3, permits...)).Bytes())
	}
	return k
}

// TestKnownAnswers computes the committed answers on every backend of every
// suite.
func TestKnownAnswers(t *testing.T) {
	path := filepath.Join("testdata", "known.json")
	want := map[string]known{}
	if !*update {
		var list []known
		must(0, json.Unmarshal(must(os.ReadFile(path)), &list))
		for _, k := range list {
			want[k.Suite] = k
		}
		if len(want) != len(protocol.SuiteIDs()) {
			t.Errorf("answers for %d suites, not for %d", len(want), len(protocol.SuiteIDs()))
		}
	}
	var list []known
	for _, id := range protocol.SuiteIDs() {
		for _, b := range all.Backends() {
			if b.Info().Curve != id.Curve || testing.Short() && isReference(b) {
				continue
			}
			got := knownOn(must(protocol.New(id, b)))
			if *update {
				if len(list) == 0 || list[len(list)-1].Suite != got.Suite {
					list = append(list, got)
				}
				continue
			}
			if a, b2 := must(json.Marshal(got)), must(json.Marshal(want[got.Suite])); !bytes.Equal(a, b2) {
				t.Errorf("%s on %s: %s, not %s", id, b.Info().ID, a, b2)
			}
		}
	}
	if *update {
		must(0, os.MkdirAll("testdata", 0o755))
		must(0, os.WriteFile(path, append(must(json.MarshalIndent(list, "", " ")), '\n'), 0o644))
	}
}

// TestKnownAnswersHold checks them by the equations rather than by repetition:
// e(s_i·A, Q) = e(A, s_i·Q) for each share and for the secret.
func TestKnownAnswersHold(t *testing.T) {
	var list []known
	must(0, json.Unmarshal(must(os.ReadFile(filepath.Join("testdata", "known.json"))), &list))
	bytesOf := func(s string) []byte { return must(hex.DecodeString(s)) }
	for _, k := range list {
		id := must(protocol.ParseSuiteID(k.Suite))
		var b backends.Backend
		for _, candidate := range all.Backends() {
			if candidate.Info().Curve == id.Curve && (b == nil || isReference(b)) {
				b = candidate
			}
		}
		s := must(protocol.New(id, b))
		user := must(s.Identity(bytesOf(k.Identity)))
		server := must(s.DecodeServerSecret(bytesOf(k.Server)))
		is(t, k.Suite+": secret", must(s.DecodeClientSecret(bytesOf(k.Client))).VerifyShare(user, server), nil)
		g := must(DecodeGroup(s, bytesOf(k.Group)))
		for j, i := range k.Set {
			dta := must(s.ServerSecretOf(must(g.PublicShare(i))))
			is(t, k.Suite+": share", must(s.DecodeClientSecret(bytesOf(k.Clients[j]))).VerifyShare(user, dta), nil)
			if k.Date != 0 {
				is(t, k.Suite+": permit share", must(s.DecodePermit(protocol.Date(k.Date), bytesOf(k.Permits[j]))).VerifyShare(user, dta), nil)
			}
		}
		sum := must(s.DecodeMasterSecret(bytesOf(k.Additive[0])))
		for _, part := range k.Additive[1:] {
			sum = must(protocol.CombineMasterSecrets(sum, must(s.DecodeMasterSecret(bytesOf(part)))))
		}
		if !bytes.Equal(sum.ServerShare().Bytes(), server.Bytes()) {
			t.Error(k.Suite + ": the additive shares do not add up to s")
		}
	}
}

func isReference(b backends.Backend) bool { return strings.HasPrefix(b.Info().ID, "reference/") }
