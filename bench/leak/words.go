package leak

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"mpinlab/backends"
)

// Limits says what a row without a difference does not prove, one paragraph
// each.
func Limits() []string {
	return []string{
		"“Not seen” is not “constant time”. A row says that this number of samples on this machine did not tell the two classes apart. The column “visible” gives the least difference of the means " +
			"that would have stood out in one of the crops; a smaller one can be there, and an attacker who has more samples, or a quieter machine, can see it.",
		"Only times of whole operations were compared, and only for the fixed secrets that were tried. Caches, branch predictors and ports shared with other programs, power and electromagnetic " +
			"emanation are other channels: code can pass here and leave its secret in any of them.",
		"A secret that repeats also trains caches and branch predictors, and part of a difference can be due to that: code without branches and look-ups that depend on secrets has nothing to train.",
		"The measurement is of one machine, one compiler and one version of each library; the same source compiled elsewhere can behave differently. The Go compiler does not promise constant time for any code.",
		"A difference, on the other hand, is there: it was measured through the protocol’s own functions, from which an attacker’s clock is a network or a process away. Whether it can be used there is another question.",
	}
}

// Standing is what a run says of a backend.
type Standing struct {
	Backend string
	// Claim is the library's own standing on secret-dependent timing.
	Claim backends.ConstantTime
	// Worst is the row with the greatest |t|.
	Worst Row
	// Whole says that all operations were tested.
	Whole bool
	// Leaking and Suspect are the operations with such a verdict.
	Leaking, Suspect []string
}

// Suited reports whether the backend is one for secret scalars: its authors
// mean it to be constant-time, all operations were tested, and none shows a
// difference.
func (s *Standing) Suited() bool {
	return s.Claim == backends.ConstantTimeClaimed && s.Whole && len(s.Leaking)+len(s.Suspect) == 0
}

// Standings sums the run up, one for each backend; infos tell what the
// libraries claim.
func Standings(r *Results, infos []backends.Info) (list []Standing) {
	for _, id := range r.Backends() {
		s := Standing{Backend: id, Claim: backends.ConstantTimeNo, Whole: true}
		if i := slices.IndexFunc(infos, func(info backends.Info) bool { return info.ID == id }); i >= 0 {
			s.Claim = infos[i].ConstantTime
		}
		for _, o := range operations {
			row := r.Find(o.Name, id)
			if row == nil {
				s.Whole = false
				continue
			}
			if s.Worst.Op == "" || math.Abs(row.T) > math.Abs(s.Worst.T) {
				s.Worst = *row
			}
			switch row.Verdict {
			case Leaks:
				s.Leaking = append(s.Leaking, o.Name)
			case Suspected:
				s.Suspect = append(s.Suspect, o.Name)
			}
		}
		list = append(list, s)
	}
	return list
}

// Advice names the backends suited to secret scalars on this run's evidence,
// in one or two sentences.
func Advice(r *Results, standings []Standing) string {
	if err := r.Valid(); err != nil {
		return "This run proves nothing: " + err.Error() + "."
	}
	var suited, refuted []string
	for _, s := range standings {
		switch {
		case s.Suited():
			suited = append(suited, s.Backend)
		case s.Claim == backends.ConstantTimeClaimed && len(s.Leaking)+len(s.Suspect) > 0:
			refuted = append(refuted, fmt.Sprintf("%s (%s)", s.Backend, strings.Join(append(slices.Clone(s.Leaking), s.Suspect...), ", ")))
		}
	}
	words := "No backend of this run both claims constant time and shows no difference in any operation."
	if len(suited) > 0 {
		words = "For secret scalars (D-TAs and clients) use " + strings.Join(suited, " or ") + ": meant to be constant-time by the authors, and no difference seen in any operation."
	}
	if len(refuted) > 0 {
		words += " Meant to be constant-time, but with a difference: " + strings.Join(refuted, "; ") + "."
	}
	return words + " Servers hold no secret scalar, and may use any."
}

// Chance says how likely chance is to reach the threshold in a run.
func Chance(r *Results) string {
	comparisons, p := r.ByChance()
	return fmt.Sprintf("The threshold %g is corrected for many comparisons: where no time depends on a secret, chance takes any of this run’s %d (%d rows, %d crops each) to it with a probability of %.2g at most.",
		Noise, comparisons, len(r.Rows), len(crops), p)
}

// Cell writes a row of the matrix: |t|, and the verdict as a mark.
func Cell(row *Row) string {
	if row == nil {
		return "–"
	}
	mark := map[Verdict]string{NotSeen: "·", Suspected: "?", Leaks: "✗"}[row.Verdict]
	return mark + " " + Amount(row.T)
}

// Amount writes |t| with one decimal, whole numbers from 100 on.
func Amount(t float64) string {
	t = math.Abs(t)
	switch {
	case t < 99.95:
		return fmt.Sprintf("%.1f", t)
	case t < 99999.5:
		return fmt.Sprintf("%.0f", t)
	}
	return fmt.Sprintf("%.2g", t)
}

// Markdown writes the results as a page: the advice, the matrix, all rows and
// the limits. All of it follows from the results and infos.
func Markdown(w io.Writer, r *Results, infos []backends.Info) {
	standings := Standings(r, infos)
	fmt.Fprintf(w, "# Timing that depends on secrets\n\nGenerated from leak.json by `mpin leak --read leak.json --markdown`; do not edit.\n\n%s\n\n", Advice(r, standings))
	fmt.Fprintf(w, "%s. %d samples a row, fewer where |t| was beyond %d before, seed %d. %s\n\n", machine(r), r.Samples, settled, r.Seed, Chance(r))
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, "Warning: %s\n\n", cell(warning))
	}
	fmt.Fprintf(w, "## Greatest |t| of each operation\n\n· below %g: no difference seen. ? below %d: suspected. ✗: the time depends on the secret.\n\n| backend | claims |", Noise, Certain)
	for _, o := range operations {
		fmt.Fprintf(w, " %s (%s) |", o.Name, o.Secret)
	}
	fmt.Fprintf(w, "\n|---|---|%s\n", strings.Repeat("---|", len(operations)))
	for _, s := range standings {
		fmt.Fprintf(w, "| %s | %s |", cell(s.Backend), s.Claim)
		for _, o := range operations {
			fmt.Fprintf(w, " %s |", Cell(r.Find(o.Name, s.Backend)))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprint(w, "\n## All rows\n\n| backend | operation | fixed secret | samples fixed / random | t | crop, % | difference, ns | visible, ns | median, ns |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, row := range r.Rows {
		fmt.Fprintf(w, "| %s | %s | %s | %d / %d | %.2f | %g | %.1f | %.1f | %.0f |\n", cell(row.Backend), cell(row.Op), cell(row.Fixed),
			row.FixedSamples, row.RandomSamples, row.T, row.Crop, row.Difference, row.Visible, row.Median)
	}
	fmt.Fprint(w, "\n## What this does not prove\n")
	for _, p := range Limits() {
		fmt.Fprintf(w, "\n%s\n", p)
	}
}

// machine tells where and when the run was.
func machine(r *Results) string {
	var parts []string
	for _, key := range []string{"cpu", "cores", "kernel", "go", "date", "commit"} {
		if v := r.Environment.Get(key); v != "" {
			parts = append(parts, key+" "+cell(v))
		}
	}
	if len(parts) == 0 {
		return "On an unknown machine"
	}
	return strings.Join(parts, ", ")
}

// cell keeps text from breaking a table.
func cell(s string) string { return strings.NewReplacer("|", "\\|", "\n", " ", "\r", " ").Replace(s) }
