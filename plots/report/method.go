package report

import (
	"fmt"
	"slices"
	"strings"

	"mpinlab/backends"
	"mpinlab/bench"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

// methodPart is a heading of the method section with its paragraphs.
type methodPart struct {
	// Anchor is the heading's, and stays when its words change.
	Anchor, Heading string
	Paragraphs      []string
}

// method tells how the numbers came about, whom they favour, and what they
// cannot tell.
func method(in *Input) []methodPart {
	return []methodPart{
		{"method-compared", "What is compared, and what is not", whatIsCompared()},
		{"method-unfair", "Known unfairness", unfairness(in.Backends)},
		{"method-samples", "How samples are taken", samples(in.Results)},
		{"method-interleaved", "Why rows are interleaved", []string{
			"A processor changes its speed with its temperature and its neighbours, and a benchmark that runs second runs on another machine than the first. While this project was made, two versions of one function " +
				"that were measured one after the other seemed to differ by 90\u202f%; interleaved they did not differ at all. Rows that are compared are therefore measured within seconds of each other, many times over, in " +
				"random order, and their ratio is taken within each round before a median is taken over the rounds: what slows a whole round cancels.",
		}},
		{"method-control", "Control: a row against itself", control(in.Results)},
		{"method-values", "What the numbers are", []string{
			"Values are medians. Their 95\u202f% intervals come from order statistics and assume nothing about the distribution; they exist from six samples on. " +
				"Rates are reciprocals of times, and so are the ends of their intervals. A ratio of two rows is the median of the ratios of samples from the same round. " +
				"From 100 up numbers are rounded to whole ones, below that to three significant digits.",
			"B/op and allocs/op count the Go heap only: what a C library allocates is not in them.",
		}},
		{"method-bias", "Bias that remains", remainingBias(in.Results)},
		{"method-limits", "What the numbers cannot tell", limits(in)},
	}
}

func whatIsCompared() []string {
	return []string{
		"Rows are compared that do the same work: one operation, at one size, on as many processors. What one unit of an operation does, and what is at hand beforehand, is in the table of operations; " +
			"every backend gets the same bytes and must give the same bytes back. ServerVerify begins with bytes from the network and ends with a verdict: decoding, subgroup checks, hash to the curve, equation.",
		"“interface” rows go through this project’s contract for libraries, “direct” rows call the library as its own users do, and “protocol” rows go through the M-Pin implementation on top of the contract. " +
			"“direct” is compared with “direct” only; what the contract costs has a figure of its own.",
		"Not compared are networks, storage and whole logins (the load reports do that), other uses of the libraries than M-Pin, libraries in other languages than Go and C, and backends that fail a known answer: these are shown and not ranked.",
	}
}

// unfairness says whom the comparison favours; the names come from the list of
// backends.
func unfairness(entries []backends.Entry) []string {
	byImplementation := map[string][]string{}
	var claimed []string
	for _, e := range entries {
		library, _, _ := strings.Cut(e.Info.ID, "/")
		if e.Info.Implementation != "" && !slices.Contains(byImplementation[e.Info.Implementation], library) {
			byImplementation[e.Info.Implementation] = append(byImplementation[e.Info.Implementation], library)
		}
		if e.Info.ConstantTime == backends.ConstantTimeClaimed && !slices.Contains(claimed, library) {
			claimed = append(claimed, library)
		}
	}
	var written []string
	for name, libraries := range byImplementation {
		written = append(written, fmt.Sprintf("%s (%s)", name, number.List(libraries)))
	}
	slices.Sort(written)
	list := []string{
		fmt.Sprintf("Security levels. Curves differ in how hard they are believed to be, from about 100 bits to 128 and more. Rankings are among curves of %d bits or more; the others are faster partly because they are weaker. "+
			"Even within a class the levels are not equal, and the published estimates disagree.", measured.Strong),
	}
	words := "Constant time. Code whose time must not depend on secrets does more work than code that may take short cuts."
	if len(claimed) > 0 {
		words += " " + number.List(claimed) + " are meant to be such code, the others are not."
	}
	list = append(list, words+" A server that verifies has no secret scalar and gains nothing from it; a D-TA and a client do, and for them the variable-time libraries’ speed is not on offer. What was measured of it is under Timing leakage, where it was recorded.")
	words = "Language and assembly."
	if len(written) > 0 {
		words += " The backends are written in " + number.List(written) + "."
	}
	list = append(list, words+" Assembly is for some processors only: on others the order can be another. MIRACL Core and AMCL are the Go that their generators make, as published by Hyperledger Fabric; their C is several times as fast.",
		"Calls into C. Every call from Go into C has a price of its own and holds a thread. That is part of the price here, as it is for who uses the library from Go; a program in C does not pay it.",
		"Interfaces. A library is measured by what its public Go interface offers. gnark-crypto prepares fixed elements of G2 there and gains by it; blst can do the same in C, and its Go binding does not offer it. "+
			"circl has no product of pairings with shared squarings. That is what users of these versions get, and says nothing about what the code below could do.",
		"Adapters. The backends were written by this project and not by the libraries’ authors, and more time went into some than into others. Direct rows and the figure of the abstraction’s price show how much that can be.",
	)
	return list
}

func samples(r *bench.Results) []string {
	plan := "Every row has the number of samples that the tables give."
	if n, t := r.Get("samples"), r.Get("sample-time"); n != "" && t != "" {
		plan = fmt.Sprintf("The plan was %s samples a row of %s each; the tables give the number there is.", n, t)
	}
	return []string{
		"All operations are set up first. Then every round takes one sample of each, in an order shuffled anew, so that a machine that changes its speed " +
			"does so for all of them; the rows of one comparison follow each other directly, in random order too. The first round is thrown away. The heap is collected between samples, after every 32 MiB, and not while the clock runs; before a sample an operation of up to 2 ms is run once more, untimed. " + plan,
		fmt.Sprintf("An operation goes through %d different inputs in turn: one input repeated flatters variable-time code, by up to a quarter. "+
			"Results are kept and compared with what another way of computing gives, outside the timed part; an operation with a wrong result leaves no row.", bench.Inputs),
		"Where the machine takes the processor away during a sample, the processor time counts instead of the clock, and a warning at the row says how often that was. Warnings are values in the raw file and stand in the tables.",
	}
}

func control(r *bench.Results) []string {
	list := []string{
		fmt.Sprintf("In every comparison one row is measured twice, the second time under the name “control”. What the control seems to differ is what method and machine add to every other difference. "+
			"A difference is claimed where a sign test over the rounds, with Holm’s correction for all rows of the comparison, puts the ratio beyond 1 ± %s\u202f%% with 95\u202f%% confidence. "+
			"Twenty runs of a row against itself, and twenty with a planted slowdown of 3\u202f%%, check the whole (make aa).", number.Percent(bench.Margin)),
	}
	if claims := bench.Claims(r); len(claims) > 0 {
		list = append(list, "Sensitivity of this run: "+sensitivity(claims)+". The smallest difference that a row could show stands beside its claim, in the comparison above and in the raw file.")
	}
	return list
}

func remainingBias(r *bench.Results) []string {
	list := []string{
		fmt.Sprintf("Memory layout. Where the linker puts code and the allocator data moves times by tenths of a per cent, the same way in every round of a run. The control shares the code of its row and cannot show it; that is why less than %s\u202f%% is never claimed.", number.Percent(bench.Margin)),
		"Warm caches. A sample repeats one operation, with its code and tables in the cache and its branches learnt. A server that does other work in between is slower, and libraries with large tables lose more.",
		"No collector. Rows that allocate much have its cost outside the clock; under Cost beyond time it is counted.",
		"Choice. Operations, sizes and inputs were chosen by the authors of this project for M-Pin. All rows are in the tables, also those that no figure shows.",
	}
	var unknown []string
	for _, key := range []string{"governor", "turbo"} {
		if v := r.Get(key); v == "" || strings.Contains(v, "not readable") || v == "unknown" {
			unknown = append(unknown, key)
		}
	}
	machine := "The machine."
	if v := r.Get("hypervisor"); v != "" && v != "no" && !strings.Contains(v, "not readable") {
		machine += " It is virtual (" + v + "), and its neighbours are not known."
	}
	if len(unknown) > 0 {
		machine += " It does not show its " + number.List(unknown) + "."
	}
	if machine != "The machine." {
		list = append(list, machine)
	}
	return list
}

func limits(in *Input) []string {
	constantTime := "“Claimed” constant time is what a library’s authors say of it. This page does not test it."
	if in.Leak != nil {
		constantTime = "“Claimed” constant time is what a library’s authors say of it; what a test of times could see of it is under Timing leakage, with what that does not prove."
	}
	return []string{
		"An interval tells how far the median would scatter if the same run were repeated here at the same time. It says nothing about other processors, other days, or neighbours on a shared machine. " +
			"Differences of a few percent between backends may turn round on another processor.",
		"A rate a second on one core is what the arithmetic allows. A server also has a network, storage and other users’ requests.",
		constantTime,
		"Security levels are published estimates for the curves; they change when attacks do.",
	}
}
