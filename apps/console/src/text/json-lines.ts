/**
 * JSON text set out on lines, without parsing it: each token stays as it was written, so 9007199254740993, 12.50 and a key
 * that comes twice are shown as they were sent.
 */

export interface JsonLine {
  readonly depth: number
  readonly tokens: readonly string[]
}

// What is no token of JSON is one by itself, a character long: then the text is shown, wrong as it is.
const token = /"(?:[^"\\]|\\.)*"|[-+.\w]+|[^\s]/gs

/** The tokens of JSON text, without the white space between them. */
export const tokensOf = (text: string): string[] => text.match(token) ?? []

/** A member or an element a line; what is empty stays on its line. */
export function jsonLines(text: string): JsonLine[] {
  const lines: JsonLine[] = []
  let depth = 0
  let line: string[] = []
  const end = () => {
    if (line.length > 0) lines.push({ depth, tokens: line })
    line = []
  }
  const tokens = tokensOf(text)
  for (const [at, each] of tokens.entries()) {
    if (isCloser(each) && !isOpener(tokens[at - 1])) {
      end()
      depth -= 1
    }
    line.push(each)
    if (each === ',') end()
    if (isOpener(each) && !isCloser(tokens[at + 1])) {
      end()
      depth += 1
    }
  }
  end()
  return lines
}

/** A line as text, indented by two blanks a level. */
export const lineText = ({ depth, tokens }: JsonLine): string =>
  '  '.repeat(Math.max(0, depth)) + tokens.map(spaced).join('')

/** Behind a colon stands a blank. */
export const spaced = (token: string): string => (token === ':' ? ': ' : token)

const isOpener = (token: string | undefined): boolean => token === '{' || token === '['
const isCloser = (token: string | undefined): boolean => token === '}' || token === ']'
