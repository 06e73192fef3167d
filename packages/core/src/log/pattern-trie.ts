/**
 * Many patterns, by their segments, so that one walk along a topic's segments finds all that match it: what a walk
 * costs hangs on the segments and on what matches, not on how many patterns there are.
 */
export interface PatternTrie<T> {
  /** How many values there are. */
  readonly size: number
  add(pattern: string, value: T): void
  remove(pattern: string, value: T): void
  /** The values of all patterns that match the topic. */
  matching(topic: string): T[]
}

interface Node<T> {
  /** By the next segment, of which `*` is one: no topic has it. */
  readonly children: Map<string, Node<T>>
  /** Of patterns that end here. */
  readonly values: Set<T>
  /** Of patterns that end in `>` here. */
  readonly below: Set<T>
}

const createNode = <T>(): Node<T> => ({ children: new Map(), values: new Set(), below: new Set() })

export function createPatternTrie<T>(): PatternTrie<T> {
  const root = createNode<T>()
  let size = 0

  function childOf({ children }: Node<T>, segment: string): Node<T> {
    const child = children.get(segment) ?? createNode<T>()
    children.set(segment, child)
    return child
  }

  /** Whether nothing is left of the node. */
  function removeFrom(node: Node<T>, [segment, ...rest]: readonly string[], value: T): boolean {
    if (segment === undefined) size -= node.values.delete(value) ? 1 : 0
    else if (segment === '>') size -= node.below.delete(value) ? 1 : 0
    else {
      const child = node.children.get(segment)
      if (child && removeFrom(child, rest, value)) node.children.delete(segment)
    }
    return node.children.size + node.values.size + node.below.size === 0
  }

  function collect(node: Node<T>, segments: readonly string[], at: number, found: T[]): void {
    const segment = segments[at]
    if (segment === undefined) {
      for (const value of node.values) found.push(value)
      return
    }
    for (const value of node.below) found.push(value)
    const [named, any] = [node.children.get(segment), node.children.get('*')]
    if (named) collect(named, segments, at + 1, found)
    if (any) collect(any, segments, at + 1, found)
  }

  return {
    get size() {
      return size
    },
    add(pattern, value) {
      const segments = pattern.split('.')
      const isOpen = segments.at(-1) === '>'
      let node = root
      for (const segment of isOpen ? segments.slice(0, -1) : segments) node = childOf(node, segment)
      const values = isOpen ? node.below : node.values
      if (!values.has(value)) size += 1
      values.add(value)
    },
    remove(pattern, value) {
      removeFrom(root, pattern.split('.'), value)
    },
    matching(topic) {
      const found: T[] = []
      collect(root, topic.split('.'), 0, found)
      return found
    },
  }
}
