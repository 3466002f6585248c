package report

import (
	"fmt"

	"mpinlab/bench"
)

// methodPart is a heading of the method section with its paragraphs.
type methodPart struct {
	Heading    string
	Paragraphs []string
}

// method tells how the numbers came about and what they cannot tell.
func method(r *bench.Results) []methodPart {
	plan := "Every row has the number of samples that the tables give."
	if n, t := r.Get("samples"), r.Get("sample-time"); n != "" && t != "" {
		plan = fmt.Sprintf("The plan was %s samples a row of %s each; the tables give the number there is.", n, t)
	}
	return []methodPart{
		{"How it was measured", []string{
			"All operations are set up first. Then every round takes one sample of each, so that a machine that changes its speed " +
				"does so for all of them; the first round is thrown away. The rows of one operation are measured one right after the other, and the order of the operations " +
				"and of their rows is shuffled anew in every round, by the seed that the environment gives. Before a sample the heap is collected, and while the clock runs the collector is off. " + plan,
			fmt.Sprintf("An operation goes through %d different inputs in turn: one input repeated flatters variable-time code. "+
				"Results are kept and compared with what another way of computing gives, outside the timed part; an operation with a wrong result leaves no row.", bench.Inputs),
			"Where the system takes the processor away from a sample on one thread, for other work, its processor time counts instead of the time on the clock; a warning tells how often that was.",
			"“control” rows are A/A controls: the work of another row of the operation under a second name. What they seem to cost more or less than that row is what the machine and the method add to any difference.",
			"“interface” rows go through this project's contract for libraries, “direct” rows call the library as its own users do, and “protocol” rows go through the M-Pin implementation on top of the contract.",
		}},
		{"What the numbers are", []string{
			"Values are medians. Their 95\u202f% intervals come from order statistics and assume nothing about the distribution; they exist from six samples on. " +
				"Rates are reciprocals of times, and so are the ends of their intervals. A ratio of two rows is the median of the ratios of samples from the same round. " +
				"From 100 up numbers are rounded to whole ones, below that to three significant digits.",
			"B/op and allocs/op count the Go heap only: what a C library allocates is not in them.",
		}},
		{"What they cannot tell", []string{
			"An interval tells how far the median would scatter if the same run were repeated here at the same time. It says nothing about other processors, other days, or neighbours on a shared machine. " +
				"Differences of a few percent between backends may turn round on another processor.",
			"A rate a second on one core is what the arithmetic allows. A server also has a network, storage and other users' requests.",
			"“Claimed” constant time is what a library's authors say of it. This page does not test it.",
			"Security levels are published estimates for the curves; they change when attacks do.",
		}},
	}
}
