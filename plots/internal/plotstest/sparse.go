package plotstest

import "mpinlab/bench"

// Keep returns r with the rows that keep accepts.
func Keep(r *bench.Results, keep func(bench.Key) bool) *bench.Results {
	kept := &bench.Results{Environment: r.Environment, Warnings: r.Warnings}
	for _, row := range r.Rows {
		if keep(row.Key) {
			kept.Rows = append(kept.Rows, row)
		}
	}
	return kept
}

// Cases are results as a user may have them, by name: all of them, without
// intervals, filtered, or none.
func Cases() map[string]*bench.Results {
	full := Full(12)
	return map[string]*bench.Results{
		"full":         full,
		"no intervals": Full(3),
		"one backend":  Keep(full, func(k bench.Key) bool { return k.BackendID() == "gnark/bls12-381" }),
		"weak curves":  Keep(full, func(k bench.Key) bool { return k.Curve == "bn254" || k.Curve == "fp256bn" }),
		"verify only":  Keep(full, func(k bench.Key) bool { return k.Op == "ServerVerify" && k.Via == "protocol" }),
		"batches only": Keep(full, func(k bench.Key) bool { return k.Op == "ServerVerifyBatch" }),
		"one batch":    Keep(full, func(k bench.Key) bool { return k.Op == "ServerVerifyBatch" && k.N == 8 && k.Backend == "gnark" }),
		"signing":      Keep(full, func(k bench.Key) bool { return k.Op == "Sign" }),
		"no verify":    Keep(full, func(k bench.Key) bool { return k.Op != "ServerVerify" }),
		"direct only":  Keep(full, func(k bench.Key) bool { return k.Via == "direct" }),
		"no rows":      Environment(),
		"nothing":      {},
	}
}
