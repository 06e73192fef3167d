/** Something the user has to put right. The message says what, and how. */
export class SetUpFailed extends Error {
  /** `isUsage`: it is the command line that makes no sense. */
  constructor(message, { isUsage = false, ...options } = {}) {
    super(message, options)
    this.isUsage = isUsage
  }
}
