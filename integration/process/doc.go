// Package process looks at a running process from outside, as an operator does, and does
// to it what a system does: stops it, takes its descriptors or its memory away.
//
//	p := process.Process(pid)
//	p.Memory(); p.Files(); p.CPU()
//	p.Stop(t); p.Continue()
//	p.LimitFiles(t, 64)
//	cg := process.NewCgroup(t, 128<<20); cg.Add(t, p)
//
// It knows nothing of Encke, and needs Linux.
package process
