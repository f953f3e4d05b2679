package edge

// chunk takes one byte of the lines between the chunks of a body. Extensions and
// trailers are not taken: no browser sends them, and programs differ about them.
func (f *framing) chunk(c byte) (done bool, err *fault) {
	switch f.state {
	case inChunkSize: // f.size counts digits
		if c == '\r' && f.size > 0 {
			f.state = inChunkSizeEnd
			return false, nil
		}
		d, ok := hex(c)
		if f.size++; !ok || f.size > 8 {
			return false, badChunk
		}
		f.left = 16*f.left + d
		return false, nil
	case inChunkSizeEnd:
		if f.size = 0; f.left == 0 {
			f.state = inLastCR
		} else {
			f.state = inChunk
		}
		return false, expect(c, '\n')
	case inChunkEnd:
		f.state = inChunkLF
		return false, expect(c, '\r')
	case inChunkLF:
		f.state = inChunkSize
		return false, expect(c, '\n')
	case inLastCR:
		f.state = inLastLF
		return false, expect(c, '\r')
	case inLastLF:
		if c != '\n' {
			return false, badChunk
		}
		f.next()
		return true, nil
	}
	return false, upgraded
}

func expect(c, want byte) *fault {
	if c != want {
		return badChunk
	}
	return nil
}

func hex(c byte) (int64, bool) {
	switch {
	case '0' <= c && c <= '9':
		return int64(c - '0'), true
	case 'a' <= lower(c) && lower(c) <= 'f':
		return int64(lower(c)-'a') + 10, true
	}
	return 0, false
}
