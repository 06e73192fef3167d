/** A file in a folder of definitions that gives no projection, or not all that it should. */
export interface NotLoaded {
  /** Its name in the folder; `.` is the folder itself. */
  readonly file: string
  /** From 1; null if it is not known. */
  readonly line: number | null
  /** What is wrong, without the path of anything. */
  readonly message: string
}

/** The file and where in it, in words. */
export const fileAndLine = ({
  file,
  line,
}: {
  readonly file: string
  readonly line?: number | null
}): string => (line == null ? file : `${file} line ${line}`)
