/**
 * Cuts bytes into lines of text, wherever the chunks end: a line may come in many, a character in two. Give it each
 * chunk; it returns the lines that are complete by then, without their ends. A line longer than `charsMax` comes as
 * undefined, and is not kept.
 */
export function createLineSplitter(charsMax = Number.POSITIVE_INFINITY) {
  const decoder = new TextDecoder()
  let rest = ''
  let isTooLong = false

  function cut(text: string): (string | undefined)[] {
    const lines = text.split('\n')
    lines[0] = rest + lines[0]
    rest = lines.pop() ?? ''
    const complete = lines.map((line, index) => {
      if (line.length > charsMax || (index === 0 && isTooLong)) return undefined
      return line.endsWith('\r') ? line.slice(0, -1) : line
    })
    if (complete.length > 0) isTooLong = false
    if (rest.length > charsMax) {
      isTooLong = true
      rest = ''
    }
    return complete
  }

  return {
    push: (chunk: Uint8Array) => cut(decoder.decode(chunk, { stream: true })),
    /** What came after the last line end, if anything did. */
    end(): (string | undefined)[] {
      const lines = cut(decoder.decode())
      return rest === '' && !isTooLong ? lines : [...lines, isTooLong ? undefined : rest]
    },
  }
}
