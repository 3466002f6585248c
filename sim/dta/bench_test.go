package dta_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"mpinlab/sim/dta/dtatest"
	"mpinlab/sim/wire"
)

// BenchmarkIssue is one request over HTTP to one D-TA, on a connection that is
// kept: the share, its proof, and all that is around it.
func BenchmarkIssue(b *testing.B) {
	suite := dtatest.Suite(b)
	_, hash := alice(b)
	for _, t := range []int{0, 2} {
		d := dtatest.New(b, suite, dtatest.Options{N: 3, Threshold: t, Now: fixed(noon)})
		var set wire.Set
		if t != 0 {
			set = wire.Set{1, 2}
		}
		for name, url := range map[string]string{
			"client":  dtatest.ClientSecretURL(dtatest.AppID, dtatest.AppKey, hash, noon, set),
			"server":  dtatest.ServerSecretURL(dtatest.AppID, dtatest.AppKey, noon, set),
			"permit":  dtatest.PermitURL(dtatest.AppID, dtatest.AppKey, hash, noon, set, 0),
			"permits": dtatest.PermitURL(dtatest.AppID, dtatest.AppKey, hash, noon, set, 10),
		} {
			b.Run(fmt.Sprintf("what=%s/threshold=%d", name, t), func(b *testing.B) {
				for range b.N {
					r, err := http.Get(d.Nodes[0].URL + url)
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
