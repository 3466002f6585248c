package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"mpinlab/backends"
	"mpinlab/bench"
	"mpinlab/bench/leak"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

// rule is how the answer is found, as the page says it, with the particulars.
func rule(in *Input) string {
	words := fmt.Sprintf("Ranked are backends on curves of an estimated %d bits of security or more, by their median rate of "+
		"ServerVerify on one core, in the %s dialect where it was measured. That one is faster is said where the run claims it: where a sign "+
		"test over the ratios of its rounds, with Holm’s correction for all rows of the comparison, puts the ratio beyond 1 ± %s%s%% with "+
		"95%s%% confidence. Backends without such a claim against the first are level with it.",
		measured.Strong, measured.DefaultDialect, number.Percent(bench.Margin), number.Thin, number.Thin)
	var out number.Reasons
	for _, r := range measured.New(in.Results).Verifiers() {
		if reason, excluded := in.Excluded[r.Backend.ID()]; excluded {
			out.Add(r.Backend.ID(), reason)
		}
	}
	if len(out) > 0 {
		words += " Not ranked: " + out.String() + "."
	}
	if more := particulars(in); more != "" {
		words += " In full: " + more
	}
	return words
}

// answer returns the page's first paragraph: which backend verifies most
// logins, and what to know beside that. It has at most two sentences.
func answer(in *Input) string { return plain(citedAnswer(in)) }

// citedAnswer is answer with every measured number cited.
func citedAnswer(in *Input) string {
	s := measured.New(in.Results)
	verifiers := s.Verifiers()
	if len(verifiers) == 0 {
		return "No server verification was measured, so this report ranks no backend."
	}
	ranking := measured.Ranking(verifiers, in.Excluded, measured.Strong, 0)
	sentences := []string{firstSentence(ranking, s.Claims(ranking, in.Excluded))}
	lower := weaker(measured.Ranking(verifiers, in.Excluded, 1, measured.Strong))
	secret := forSecrets(s, in)
	switch {
	case lower != "" && secret != "":
		sentences = append(sentences, "Below that level, "+lower+"; "+secret+".")
	case lower != "":
		sentences = append(sentences, "Below that level, "+lower+".")
	case secret != "":
		sentences = append(sentences, upperFirst(secret)+".")
	}
	return strings.Join(sentences, " ")
}

// firstSentence names the winner, or those that are level.
func firstSentence(ranking []measured.Ranked, claims map[bench.Key]bench.Claim) string {
	where := fmt.Sprintf("at %d bits of security or more", measured.Strong)
	if len(ranking) == 0 {
		return "No ranked backend was measured " + where + "."
	}
	first := ranking[0]
	rate := cite(first.Row, number.Plain(first.Rate.Mid))
	if !first.Rate.HasInterval() {
		return fmt.Sprintf("On this machine %s came first among M-Pin verifiers %s, with %s logins a second on one core, but %d samples "+
			"give no 95%s%% interval, so that the order is not established.",
			first.Backend.ID(), where, rate, len(first.Row.Samples), number.Thin)
	}
	level, behind := split(ranking, claims)
	others := number.List(compared(first, level, behind, claims, false))
	if len(level) == 0 {
		if others != "" {
			others = ", " + others
		}
		return fmt.Sprintf("On this machine %s verifies the most M-Pin logins %s: %s a second on one core (95%s%% interval %s)%s.",
			first.Backend.ID(), where, rate, number.Thin, rateSpan(first), others)
	}
	names := []string{fmt.Sprintf("%s (%s a second on one core, 95%s%% interval %s)", first.Backend.ID(), rate, number.Thin, rateSpan(first))}
	for _, r := range level {
		names = append(names, fmt.Sprintf("%s (%s)", r.Backend.ID(), cite(r.Row, number.Plain(r.Rate.Mid))))
	}
	if others != "" {
		others = "; " + first.Backend.ID() + " verifies " + others
	}
	return fmt.Sprintf("On this machine %s verify the most M-Pin logins %s and are level%s.", number.List(names), where, others)
}

// particulars gives the claims behind the answer in full: ratios with intervals,
// what the run could have seen of those that are level, and the control.
func particulars(in *Input) string {
	s := measured.New(in.Results)
	ranking := measured.Ranking(s.Verifiers(), in.Excluded, measured.Strong, 0)
	if len(ranking) < 2 || !ranking[0].Rate.HasInterval() {
		return ""
	}
	first, claims := ranking[0], s.Claims(ranking, in.Excluded)
	level, behind := split(ranking, claims)
	var parts []string
	for _, r := range level {
		parts = append(parts, tie(r, claims[r.Row.Key]))
	}
	parts = append(parts, compared(first, level, behind, claims, true)...)
	return fmt.Sprintf("%s verifies %s%s.", first.Backend.ID(), number.List(parts), againstItself(ranking[1:], claims))
}

// split parts a ranking, its first aside, into those that no claim tells from
// the first and the others.
func split(ranking []measured.Ranked, claims map[bench.Key]bench.Claim) (level, behind []measured.Ranked) {
	for _, r := range ranking[1:] {
		if claims[r.Row.Key].Claimed {
			behind = append(behind, r)
		} else {
			level = append(level, r)
		}
	}
	return level, behind
}

// tie tells of a comparison in which nothing is claimed, and what the run could
// have seen.
func tie(r measured.Ranked, c bench.Claim) string {
	if math.IsNaN(c.Ratio) || c.Row == nil {
		return "an unknown number of times as many as " + r.Backend.ID() + ", whose samples are not of the same rounds"
	}
	seen := "this run had too few samples to see any"
	if !math.IsInf(c.Sees, 0) {
		seen = "this run could have seen " + number.Percent(c.Sees) + number.Thin + "%"
	}
	return fmt.Sprintf("%s times as many as %s (%s; %s)", cite(r.Row, times(c.Ratio)), r.Backend.ID(), ratioSpan(c), seen)
}

func rateSpan(r measured.Ranked) string {
	if !r.Rate.HasInterval() {
		return "not known"
	}
	return cite(r.Row, number.Interval(r.Rate.Lo, r.Rate.Hi))
}

// ratioSpan is the interval of a claim's ratio, cited.
func ratioSpan(c bench.Claim) string {
	if math.IsInf(c.Hi, 0) || math.IsNaN(c.Hi) {
		return "no interval"
	}
	return cite(c.Row, times(c.Lo)+"–"+times(c.Hi))
}

// times writes a ratio that is claimed: closer than number.Times, which is for
// what was only computed.
func times(ratio float64) string {
	if ratio >= 10 {
		return number.Plain(ratio)
	}
	return fmt.Sprintf("%.*f", map[bool]int{true: 3, false: 2}[ratio < 1.995], ratio)
}

// compared says how many times as many the first verifies as the best backend
// of each library that has none among those that are level, with intervals or
// without.
func compared(first measured.Ranked, level, behind []measured.Ranked, claims map[bench.Key]bench.Claim, spans bool) (parts []string) {
	const most = 3
	seen := map[string]bool{first.Backend.Library: true}
	for _, r := range level {
		seen[r.Backend.Library] = true
	}
	for _, r := range behind {
		if seen[r.Backend.Library] || len(parts) == most {
			continue
		}
		seen[r.Backend.Library] = true
		name := r.Backend.ID()
		if r.Backend.Curve == first.Backend.Curve {
			name = r.Backend.Library
		}
		c := claims[r.Row.Key]
		words := " times " + name
		if len(parts) == 0 {
			words = " times as many as " + name
		}
		words = cite(r.Row, times(c.Ratio)) + words
		if spans {
			words += " (" + ratioSpan(c) + ")"
		}
		parts = append(parts, words)
	}
	return parts
}

// againstItself tells of the claims' control.
func againstItself(behind []measured.Ranked, claims map[bench.Key]bench.Claim) string {
	for _, r := range behind {
		if c := claims[r.Row.Key].Control; c != nil && !math.IsNaN(c.Ratio) {
			return fmt.Sprintf("; against itself, as a control, %s comes to %s (%s)",
				c.Row.Key.BackendID(), cite(c.Row, times(c.Ratio)), ratioSpan(*c))
		}
	}
	return ""
}

// weaker tells of the fastest below the ranked level.
func weaker(ranking []measured.Ranked) string {
	if len(ranking) == 0 {
		return ""
	}
	r := ranking[0]
	interval := ""
	if r.Rate.HasInterval() {
		interval = " (" + cite(r.Row, number.Interval(r.Rate.Lo, r.Rate.Hi)) + ")"
	}
	return fmt.Sprintf("%s verifies %s a second%s at an estimated %d bits", r.Backend.ID(), cite(r.Row, number.Plain(r.Rate.Mid)), interval, r.Backend.Bits)
}

// passes is what a client's two passes cost on a backend.
type passes struct {
	id                 string
	first, second, sum *bench.Row
}

// forSecrets tells of the fastest backend for those who multiply by secret
// scalars: of those whose authors mean it to be constant-time and, where a
// timing test is recorded, whose times it found to depend on no secret.
func forSecrets(s *measured.Set, in *Input) string {
	suited, words := suitedToSecrets(in)
	var list []passes
	var rows []*bench.Row
	for _, b := range s.Backends() {
		_, excluded := in.Excluded[b.ID()]
		one, two := s.Protocol("ClientPass1", b), s.Protocol("ClientPass2", b)
		if !suited[b.ID()] || excluded || b.Bits < measured.Strong || one == nil || two == nil {
			continue
		}
		list = append(list, passes{b.ID(), one, two, bothPasses(one, two)})
	}
	if len(list) == 0 {
		return ""
	}
	slices.SortStableFunc(list, func(a, b passes) int { return int(math.Copysign(1, a.sum.Median-b.sum.Median)) })
	for _, p := range list {
		rows = append(rows, p.sum)
	}
	best := list[0]
	cost := func(p passes) string { return cite(p.first, number.Plain(p.sum.Median/1e3)) + number.Thin + "µs" }
	client := "a client’s " + cite(best.second, "two passes")
	start := "for clients and D-TAs, whose scalars are secret, "
	group := fmt.Sprintf("at %d bits or more %s", measured.Strong, words)
	if len(list) == 1 {
		return start + fmt.Sprintf("%s is the only one measured %s, with %s for %s", best.id, group, cost(best), client)
	}
	var behind []string
	level := []string{best.id + " (" + cost(best) + ")"}
	claims := bench.ClaimsAmong(rows)
	for _, p := range list[1:] {
		i := slices.IndexFunc(claims, func(c bench.Claim) bool { return c.Row.Key == p.sum.Key })
		if i < 0 || !claims[i].Claimed {
			level = append(level, p.id+" ("+cost(p)+")")
			continue
		}
		c := claims[i]
		behind = append(behind, fmt.Sprintf("%s takes %s times as long", p.id, cite(p.first, times(c.Ratio))))
	}
	if len(level) > 1 {
		return start + fmt.Sprintf("no order is claimed between %s for %s, the fastest %s", number.List(level), client, group)
	}
	return start + fmt.Sprintf("%s is the fastest %s, with %s for %s, where %s", best.id, group, cost(best), client, number.List(behind))
}

// suitedToSecrets gives the ids of the backends that are, and says what they
// have in common.
func suitedToSecrets(in *Input) (suited map[string]bool, words string) {
	suited = make(map[string]bool)
	var infos []backends.Info
	for _, e := range in.Backends {
		infos = append(infos, e.Info)
		suited[e.Info.ID] = e.Info.ConstantTime == backends.ConstantTimeClaimed
	}
	words = "whose authors claim constant time"
	if in.Leak == nil || in.Leak.Valid() != nil {
		return suited, words
	}
	tested := make(map[string]bool)
	for _, st := range leak.Standings(in.Leak, infos) {
		tested[st.Backend] = st.Suited()
	}
	return tested, words + " and in whose times " + citeOpen + "leakage-matrix" + citeMiddle + "the recorded test" + citeClose + " saw no dependence on secrets"
}

// bothPasses adds the costs of two passes round by round.
func bothPasses(one, two *bench.Row) *bench.Row {
	sum := &bench.Row{Key: one.Key, Median: one.Median + two.Median}
	if len(one.Samples) != len(two.Samples) {
		return sum
	}
	for i := range one.Samples {
		sum.Samples = append(sum.Samples, one.Samples[i]+two.Samples[i])
	}
	return sum
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
