package report

import (
	"fmt"
	"strings"

	"mpinlab/backends"
	"mpinlab/bench"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

// rule is how the answer is found, as the page says it.
func rule(in *Input) string {
	words := fmt.Sprintf("Ranked are backends on curves of an estimated %d bits of security or more, by their median rate of "+
		"ServerVerify on one core, in the %s dialect where it was measured. Backends whose 95%s%% interval overlaps that of the "+
		"first are level with it.", measured.Strong, measured.DefaultDialect, number.Thin)
	var out number.Reasons
	for _, r := range measured.New(in.Results).Verifiers() {
		if reason, excluded := in.Excluded[r.Backend.ID()]; excluded {
			out.Add(r.Backend.ID(), reason)
		}
	}
	if len(out) > 0 {
		words += " Not ranked: " + out.String() + "."
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
	sentences := []string{firstSentence(ranking)}
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
func firstSentence(ranking []measured.Ranked) string {
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
	lead := measured.Leaders(ranking)
	if len(lead) == 1 {
		return fmt.Sprintf("On this machine %s verifies the most M-Pin logins %s: %s a second on one core (95%s%% interval %s)%s.",
			first.Backend.ID(), where, rate, number.Thin, cite(first.Row, number.Interval(first.Rate.Lo, first.Rate.Hi)), compared(ranking, lead))
	}
	var level []string
	for i, r := range lead {
		words := fmt.Sprintf("%s (%s, %s)", r.Backend.ID(), cite(r.Row, number.Plain(r.Rate.Mid)), rateSpan(r))
		if i == 0 {
			words = fmt.Sprintf("%s (%s a second on one core, 95%s%% interval %s)", r.Backend.ID(), rate, number.Thin, rateSpan(r))
		}
		level = append(level, words)
	}
	others := compared(ranking, lead)
	if others != "" {
		others = "; " + first.Backend.ID() + " verifies " + strings.Replace(others[2:], " times ", " times as many as ", 1)
	}
	return fmt.Sprintf("On this machine %s verify the most M-Pin logins %s and are level, as their intervals overlap%s.",
		number.List(level), where, others)
}

func rateSpan(r measured.Ranked) string {
	if !r.Rate.HasInterval() {
		return "not known"
	}
	return cite(r.Row, number.Interval(r.Rate.Lo, r.Rate.Hi))
}

// compared says how many times as many the first verifies as the best backend
// of each library that is not among the leaders.
func compared(ranking, lead []measured.Ranked) string {
	const most = 3
	first := ranking[0]
	seen := map[string]bool{}
	for _, r := range lead {
		seen[r.Backend.Library] = true
	}
	var parts []string
	for _, r := range ranking {
		if seen[r.Backend.Library] || len(parts) == most {
			continue
		}
		seen[r.Backend.Library] = true
		name := r.Backend.ID()
		if r.Backend.Curve == first.Backend.Curve {
			name = r.Backend.Library
		}
		parts = append(parts, cite(r.Row, number.Times(first.Rate.Mid/r.Rate.Mid))+" times "+name)
	}
	if len(parts) == 0 {
		return ""
	}
	return ", " + number.List(parts)
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

// forSecrets tells of the fastest backend whose authors mean it to be
// constant-time, for those who multiply by secret scalars.
func forSecrets(s *measured.Set, in *Input) string {
	claimed := map[string]bool{}
	for _, e := range in.Backends {
		claimed[e.Info.ID] = e.Info.ConstantTime == backends.ConstantTimeClaimed
	}
	best, least := "", 0.0
	var first, second *bench.Row
	for _, b := range s.Backends() {
		_, excluded := in.Excluded[b.ID()]
		one, two := s.Protocol("ClientPass1", b), s.Protocol("ClientPass2", b)
		if !claimed[b.ID()] || excluded || b.Bits < measured.Strong || one == nil || two == nil {
			continue
		}
		if cost := one.Median + two.Median; best == "" || cost < least {
			best, least, first, second = b.ID(), cost, one, two
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("for clients and D-TAs, whose scalars are secret, %s is the fastest at %d bits or more whose authors claim "+
		"constant time, with %s%sµs for a client's %s", best, measured.Strong, cite(first, number.Plain(least/1e3)), number.Thin, cite(second, "two passes"))
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
