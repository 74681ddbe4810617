//! The words that Python knows.

/// Whether a word is reserved, apart from the names of values.
pub fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "and"
            | "as"
            | "assert"
            | "async"
            | "await"
            | "break"
            | "class"
            | "continue"
            | "def"
            | "del"
            | "elif"
            | "else"
            | "except"
            | "finally"
            | "for"
            | "from"
            | "global"
            | "if"
            | "import"
            | "in"
            | "is"
            | "lambda"
            | "nonlocal"
            | "not"
            | "or"
            | "pass"
            | "raise"
            | "return"
            | "try"
            | "while"
            | "with"
            | "yield"
    )
}

/// Whether a word is reserved as the name of a value.
pub fn is_constant(word: &str) -> bool {
    matches!(word, "True" | "False" | "None" | "NotImplemented" | "Ellipsis" | "__debug__")
}

/// Whether Python has something by this name without an import.
pub fn is_builtin(word: &str) -> bool {
    // Those of exceptions, apart from a few, are told by how they end.
    if word.starts_with(|first: char| first.is_ascii_uppercase()) {
        return matches!(
            word,
            "BaseException"
                | "BaseExceptionGroup"
                | "Exception"
                | "ExceptionGroup"
                | "GeneratorExit"
                | "KeyboardInterrupt"
                | "StopAsyncIteration"
                | "StopIteration"
                | "SystemExit"
                | "Warning"
        ) || ((word.ends_with("Error") || word.ends_with("Warning")) && is_builtin_error(word));
    }
    matches!(
        word,
        "__import__"
            | "__name__"
            | "__file__"
            | "__doc__"
            | "abs"
            | "aiter"
            | "all"
            | "anext"
            | "any"
            | "ascii"
            | "bin"
            | "bool"
            | "breakpoint"
            | "bytearray"
            | "bytes"
            | "callable"
            | "chr"
            | "classmethod"
            | "compile"
            | "complex"
            | "delattr"
            | "dict"
            | "dir"
            | "divmod"
            | "enumerate"
            | "eval"
            | "exec"
            | "filter"
            | "float"
            | "format"
            | "frozenset"
            | "getattr"
            | "globals"
            | "hasattr"
            | "hash"
            | "help"
            | "hex"
            | "id"
            | "input"
            | "int"
            | "isinstance"
            | "issubclass"
            | "iter"
            | "len"
            | "list"
            | "locals"
            | "map"
            | "max"
            | "memoryview"
            | "min"
            | "next"
            | "object"
            | "oct"
            | "open"
            | "ord"
            | "pow"
            | "print"
            | "property"
            | "range"
            | "repr"
            | "reversed"
            | "round"
            | "set"
            | "setattr"
            | "slice"
            | "sorted"
            | "staticmethod"
            | "str"
            | "sum"
            | "super"
            | "tuple"
            | "type"
            | "vars"
            | "zip"
    )
}

/// Whether a name that ends like one of an error is one of Python's own.
fn is_builtin_error(word: &str) -> bool {
    matches!(
        word,
        "ArithmeticError"
            | "AssertionError"
            | "AttributeError"
            | "BlockingIOError"
            | "BrokenPipeError"
            | "BufferError"
            | "BytesWarning"
            | "ChildProcessError"
            | "ConnectionAbortedError"
            | "ConnectionError"
            | "ConnectionRefusedError"
            | "ConnectionResetError"
            | "DeprecationWarning"
            | "EOFError"
            | "EncodingWarning"
            | "EnvironmentError"
            | "FileExistsError"
            | "FileNotFoundError"
            | "FloatingPointError"
            | "FutureWarning"
            | "IOError"
            | "ImportError"
            | "ImportWarning"
            | "IndentationError"
            | "IndexError"
            | "InterruptedError"
            | "IsADirectoryError"
            | "KeyError"
            | "LookupError"
            | "MemoryError"
            | "ModuleNotFoundError"
            | "NameError"
            | "NotADirectoryError"
            | "NotImplementedError"
            | "OSError"
            | "OverflowError"
            | "PendingDeprecationWarning"
            | "PermissionError"
            | "ProcessLookupError"
            | "RecursionError"
            | "ReferenceError"
            | "ResourceWarning"
            | "RuntimeError"
            | "RuntimeWarning"
            | "SyntaxError"
            | "SyntaxWarning"
            | "SystemError"
            | "TabError"
            | "TimeoutError"
            | "TypeError"
            | "UnboundLocalError"
            | "UnicodeDecodeError"
            | "UnicodeEncodeError"
            | "UnicodeError"
            | "UnicodeTranslateError"
            | "UnicodeWarning"
            | "UserWarning"
            | "ValueError"
            | "ZeroDivisionError"
    )
}

/// Whether a word at the start of a statement is one of those that are reserved only there. `rest` is what follows it.
pub fn is_soft_keyword(word: &str, rest: &str) -> bool {
    let Some(next) = rest.trim_start_matches([' ', '\t']).chars().next() else {
        return false;
    };
    let is_apart = rest.starts_with([' ', '\t']);
    match word {
        // `match = 1`, `match.group()` and `match: str` are about a name.
        "match" | "case" => {
            (is_apart || matches!(next, '(' | '[' | '{' | '"' | '\'' | '-'))
                && !matches!(
                    next,
                    '=' | '.' | ',' | ':' | ')' | ']' | '}' | '!' | '<' | '>' | '+' | '/' | '%' | '|' | '&'
                )
                && rest.contains(':')
        }
        "type" => is_apart && (next.is_ascii_alphabetic() || next == '_' || !next.is_ascii()) && rest.contains('='),
        _ => false,
    }
}
