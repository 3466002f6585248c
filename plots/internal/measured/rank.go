package measured

import (
	"slices"
	"sort"

	"mpinlab/bench"
)

// Strong is the security level in bits from which a curve takes part in the
// headline ranking.
const Strong = 120

// Ranked is a backend with the rate at which it verifies.
type Ranked struct {
	Backend Backend
	Row     *bench.Row
	// Rate is in verifications a second.
	Rate Estimate
}

// Verifiers lists every backend with a row for ServerVerify, fastest first.
func (s *Set) Verifiers() []Ranked {
	var list []Ranked
	for _, b := range s.backends {
		if row := s.Protocol("ServerVerify", b); row != nil {
			list = append(list, Ranked{b, row, Of(row).PerSecond()})
		}
	}
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if a.Row.Median != b.Row.Median {
			return a.Row.Median < b.Row.Median
		}
		return a.Backend.ID() < b.Backend.ID()
	})
	return list
}

// Ranking keeps those of the list that are not excluded and whose security
// level is from least up to, not including, below; below 0 is no limit.
func Ranking(list []Ranked, excluded map[string]string, least, below int) []Ranked {
	var kept []Ranked
	for _, r := range list {
		if _, out := excluded[r.Backend.ID()]; out || r.Backend.Bits < least || below > 0 && r.Backend.Bits >= below {
			continue
		}
		kept = append(kept, r)
	}
	return kept
}

// Claims makes the claims about a ranking's backends against its first, by the
// keys of their rows. They are those of the result file where no backend is
// excluded and every one was measured in one dialect; otherwise those that the
// file would have without the rows that are not ranked.
func (s *Set) Claims(ranking []Ranked, excluded map[string]string) map[bench.Key]bench.Claim {
	var rows []*bench.Row
	for _, r := range ranking {
		rows = append(rows, r.Row) // first, so that they are the base also where two medians are equal
	}
	for _, key := range s.keys {
		row := s.rows[key]
		b := backendOf(key)
		_, out := excluded[b.ID()]
		if key.Op != "ServerVerify" || out || len(ranking) == 0 || row.Key.Procs != ranking[0].Row.Key.Procs ||
			key.Suite != "" && key.Suite != s.Dialect(b) || slices.Contains(rows, row) {
			continue
		}
		rows = append(rows, row)
	}
	claims := make(map[bench.Key]bench.Claim)
	for _, c := range bench.ClaimsAmong(rows) {
		claims[c.Row.Key] = c
	}
	return claims
}

// Leaders returns the first of a ranking with all that no claim tells from it.
// There are none if the first has no interval: then nothing tells it from the
// others.
func Leaders(ranking []Ranked, claims map[bench.Key]bench.Claim) []Ranked {
	var lead []Ranked
	for i, r := range ranking {
		if ranking[0].Rate.HasInterval() && (i == 0 || !claims[r.Row.Key].Claimed) {
			lead = append(lead, r)
		}
	}
	return lead
}
