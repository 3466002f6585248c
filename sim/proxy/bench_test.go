package proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"mpinlab/sim/dta/dtatest"
)

// BenchmarkIssue is what it costs all of MIRACL's side together, over HTTP on
// connections that are kept, to issue to one client: D-TAs, proxy, and the
// proxy's check of every proof.
func BenchmarkIssue(b *testing.B) {
	for _, size := range []struct{ n, t int }{{2, 0}, {4, 0}, {5, 3}} {
		m := newMIRACL(b, size.n, size.t)
		alice := m.user(b)
		for what, url := range map[string]string{
			"client": dtatest.ClientSecretURL(id, key, alice.hash, m.clock(), nil),
			"permit": dtatest.PermitURL(id, key, alice.hash, m.clock(), nil, 0),
		} {
			b.Run(fmt.Sprintf("what=%s/dtas=%d/threshold=%d", what, size.n, size.t), func(b *testing.B) {
				for range b.N {
					r, err := http.Get(m.proxyURL + url)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := io.Copy(io.Discard, r.Body); err != nil || r.StatusCode != 200 {
						b.Fatal(r.Status, err)
					}
					r.Body.Close()
				}
			})
		}
	}
}
