/**
 * Cuts bytes into lines of text, wherever the chunks end: a line may come in many, a character in two. Give it each
 * chunk; it returns the lines that are complete by then, without their ends, which are LF or CR LF alone: Node's readline
 * also ends one at U+2028. It is for what Sekali answers, a line of any length: what a gateway is sent is cut by
 * `@sekali/core/lines`.
 */
export function createLineSplitter() {
  const decoder = new TextDecoder()
  let rest = ''

  function cut(text: string): string[] {
    const lines = text.split('\n')
    lines[0] = rest + lines[0]
    rest = lines.pop() ?? ''
    return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  }

  return {
    push: (chunk: Uint8Array) => cut(decoder.decode(chunk, { stream: true })),
    /** What came after the last line end, if anything did. */
    end(): string[] {
      const lines = cut(decoder.decode())
      return rest === '' ? lines : [...lines, rest]
    },
  }
}
