//! A list of packages and a requirements file, through their one way in.

use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> Vec<String> {
    match PythonPackages::parse(text) {
        Ok(packages) => packages.iter().map(str::to_owned).collect(),
        Err(error) => panic!("{text:?}: {error}"),
    }
}

fn refused(text: &str) -> String {
    match PythonPackages::parse(text) {
        Ok(packages) => panic!("{text:?} was read as {packages:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_list_reads_as_canonical_requirements() {
    for (text, expected) in [
        ("", &[][..]),
        (" ,\r\n\t, ", &[]),
        ("numpy pandas", &["numpy", "pandas"]),
        ("numpy, pandas,", &["numpy", "pandas"]),
        ("numpy,pandas\r\nscipy", &["numpy", "pandas", "scipy"]),
        ("numpy\u{a0}pandas", &["numpy", "pandas"]),
        ("\u{feff}numpy", &["numpy"]),
        ("numpy numpy pandas numpy", &["numpy", "pandas"]),
        ("numpy numpy>=1", &["numpy", "numpy>=1"]),
        ("Zope.Interface a_b-c 2to3", &["Zope.Interface", "a_b-c", "2to3"]),
        // versions
        ("numpy>=1.20,<2 pandas", &["numpy>=1.20,<2", "pandas"]),
        ("numpy >= 1.20 , < 2, pandas", &["numpy>=1.20,<2", "pandas"]),
        ("numpy>=1.20,\n    <2", &["numpy>=1.20,<2"]),
        ("numpy>=1.20, # not 2 yet\n<2", &["numpy>=1.20,<2"]),
        ("name (>=1,<2) b", &["name>=1,<2", "b"]),
        ("name( >= 1 )", &["name>=1"]),
        ("pkg ~= 1.4.2", &["pkg~=1.4.2"]),
        ("a===1.0-foo", &["a===1.0-foo"]),
        ("a==1!2.0+cu118.x", &["a==1!2.0+cu118.x"]),
        ("a!=1.*,==v2.0rc1", &["a!=1.*,==v2.0rc1"]),
        ("a==1,b==2", &["a==1", "b==2"]),
        // extras
        ("requests[socks,security] >= 2.8.1, == 2.8.*", &["requests[security,socks]>=2.8.1,==2.8.*"]),
        ("requests [ socks , socks ] x", &["requests[socks]", "x"]),
        ("uvicorn[standard]", &["uvicorn[standard]"]),
        // markers
        (
            "x; python_version < \"3.12\" and (sys_platform == 'linux' or extra == \"y\") y",
            &["x ; python_version < \"3.12\" and (sys_platform == \"linux\" or extra == \"y\")", "y"],
        ),
        ("x>=1;python_version<'3.12'", &["x>=1 ; python_version < \"3.12\""]),
        ("x ; os_name in 'nt, posix'\ny", &["x ; os_name in \"nt, posix\"", "y"]),
        ("x ; 'a'not  in os_name, y", &["x ; \"a\" not in os_name", "y"]),
        ("x ; (os_name=='nt')or(extra=='z') orjson", &["x ; (os_name == \"nt\") or (extra == \"z\")", "orjson"]),
        ("x ; os_name == 'nt' and\tos_name == 'nt'", &["x ; os_name == \"nt\" and os_name == \"nt\""]),
        // URLs
        ("name @ https://host/x.whl#sha256=0af,b", &["name @ https://host/x.whl#sha256=0af,b"]),
        ("name @ https://host/x.whl, b", &["name @ https://host/x.whl", "b"]),
        (
            "name@https://u:t@host:8/x.zip@main#subdirectory=a b",
            &["name @ https://u:t@host:8/x.zip@main#subdirectory=a", "b"],
        ),
        ("n[b,a] @ http://host/x.tar.gz", &["n[a,b] @ http://host/x.tar.gz"]),
        ("n @ http://[::1]/x%20y?a=1&b=2 ; os_name == 'nt'", &["n @ http://[::1]/x%20y?a=1&b=2 ; os_name == \"nt\""]),
        // comments
        ("# all\nnumpy # fast\n #x\npandas", &["numpy", "pandas"]),
        ("numpy # -r x; $(id)", &["numpy"]),
    ] {
        assert_eq!(parsed(text), expected, "{text:?}");
    }
}

#[test]
fn what_is_not_a_name_is_named() {
    for (text, word) in [
        ("nump?y", "`nump?y`"),
        ("numpy && rm", "`&&`"),
        ("numpy | tee", "`|`"),
        ("`id`", "``id``"),
        ("$(rm -rf /)", "`$(rm`"),
        ("'; rm", "`';`"),
        ("{{workflow.name}}", "`{{workflow.name}}`"),
        ("numpy\n; os_name == 'nt'", "`;`"),
        ("numpy \0", "`\\u{0}`"),
        ("num\0py", "`num\\u{0}py`"),
        ("🚀", "`🚀`"),
        ("numpy\u{202e}", "`numpy\\u{202e}`"),
        ("num\u{200b}py", "`num\\u{200b}py`"),
        ("nümpy", "`nümpy`"),
        ("_a", "`_a`"),
        ("a-", "`a-`"),
        (".a", "`.a`"),
        ("numpy#x", "`numpy#x`"),
        ("a/b", "`a/b`"),
        ("numpy:1", "`numpy:1`"),
        ("\"numpy\"", "`\"numpy\"`"),
        ("numpy\\\npandas", "`numpy\\`"),
    ] {
        let expected = format!(
            "{word} is not a package name. Names have letters, digits, `-`, `_` and `.`; separate packages with \
             spaces, commas or new lines."
        );
        assert_eq!(refused(text), expected, "{text:?}");
    }
}

#[test]
fn likely_slips_have_their_own_words() {
    for (text, expected) in [
        ("numpy=1.2", "`numpy=1.2` has a single `=`. Write `numpy==1.2` for exactly that version."),
        ("numpy = 1.2", "`numpy` has a single `=`. Write `numpy==1.2` for exactly that version."),
        (
            "numpy=>1.2",
            "`=>1.2` does not compare versions. Use `==`, `!=`, `<`, `<=`, `>`, `>=` or `~=`, such as `name>=1.0`.",
        ),
        ("numpy>=1<2", "Put a comma between the versions before `<2`, such as `name>=1.0,<2`."),
        ("numpy@1.2", "After `@` comes a URL, not a version. Write `numpy==1.2`."),
        ("numpy\n>=1.2", "`>=1.2` has no package name before it. Write `name>=1.0`, without a line break in between."),
        (
            "https://host/x.whl",
            "`https://host/x.whl` is a URL without a name. Write `name @ https://…`, with the package's name.",
        ),
        ("-r x.txt", "`-r` is an option, and this is a list of packages. Options go into a requirements file."),
        (
            "numpy --index-url=x",
            "`--index-url=x` is an option, and this is a list of packages. Options go into a requirements file.",
        ),
        ("numpy (1.2)", "The versions of `numpy` cannot be read. Write `name>=1.0,<2` without brackets."),
        ("numpy[a b]", "The extras of `numpy[a` cannot be read. Write them so: `name[first,second]`."),
        ("numpy[]", "The extras of `numpy[]` cannot be read. Write them so: `name[first,second]`."),
        ("numpy[a]b", "`numpy[a]b` cannot be read from `b` on. Separate packages with spaces, commas or new lines."),
    ] {
        assert_eq!(refused(text), expected, "{text:?}");
    }
}

#[test]
fn repositories_are_refused_with_what_to_do_instead() {
    for (text, word) in [
        ("name @ git+https://host/x.git@main", "`git+https://host/x.git@main`"),
        ("name@git+ssh://git@host/x.git", "`git+ssh://git@host/x.git`"),
        ("git+https://host/x", "`git+https://host/x`"),
        ("a @ git+file:///x", "`git+file:///x`"),
        ("a @ hg+https://host/x", "`hg+https://host/x`"),
    ] {
        let message = PythonPackages::parse_new(text).unwrap_err().to_string();
        assert!(message.starts_with(&format!("{word} is a repository")), "{message}");
        assert!(message.contains("Build a wheel"), "{message}");
        let message = RequirementsFile::parse_new(&format!("six\n{text}")).unwrap_err().to_string();
        assert!(message.starts_with(&format!("Line 2: {word} is a repository")), "{message}");
    }
}

#[test]
fn repositories_saved_by_an_earlier_version_are_read() {
    let text = "a[x] @ git+https://u:t@host:8/x.git@main#subdirectory=b ; os_name == \"nt\"";
    assert_eq!(parsed(text), [text]);
    assert!(RequirementsFile::parse(&format!("six\n{text}")).unwrap().is_some());
}

#[test]
fn files_and_folders_are_refused() {
    for (text, word) in [
        ("./pkg", "`./pkg`"),
        ("../pkg", "`../pkg`"),
        (".", "`.`"),
        ("/etc/passwd", "`/etc/passwd`"),
        ("~/x", "`~/x`"),
        ("C:\\x", "`C:\\x`"),
        ("numpy-1.0-py3-none-any.whl", "`numpy-1.0-py3-none-any.whl`"),
        ("x.tar.gz", "`x.tar.gz`"),
        ("file:///etc", "`file:///etc`"),
        ("a @ file:///etc", "`file:///etc`"),
        ("a @ ./b", "`./b`"),
    ] {
        let expected = format!(
            "{word} is a file or folder, which a run cannot see. Name a package, or give a URL: \
             `name @ https://…`."
        );
        assert_eq!(refused(text), expected, "{text:?}");
    }
}

#[test]
fn versions_urls_and_markers_that_cannot_be_read_are_named() {
    for (text, beginning) in [
        ("numpy>=", "`>=` has no version that can be read."),
        ("numpy==latest", "`==latest` has no version"),
        ("numpy==1.2$x", "`==1.2$x` has no version"),
        ("numpy==*", "`==*` has no version"),
        ("numpy>=1.*", "`>=1.*` has no version"),
        ("numpy==1.*.2", "`==1.*.2` has no version"),
        ("numpy==1.٣", "`==1.٣` has no version"),
        ("numpy > out.txt", "`>` has no version"),
        ("numpy==1)", "`numpy==1)` cannot be read from `)` on."),
        ("a @ ftp://host/x", "`ftp://host/x` is not a URL that can be used. It must begin with `https://` and have no"),
        ("a @ https:///x", "`https:///x` is not a URL"),
        ("a @ https://h/${TOKEN}", "`https://h/${TOKEN}` is not a URL"),
        ("a @ https://h/$(id)", "`https://h/$(id)` is not a URL"),
        ("a @ https://h/`id`", "`https://h/`id`` is not a URL"),
        ("a @ ext::sh", "`ext::sh` is not a URL"),
        ("a @", "`` is not a URL"),
        ("a @ https://h/x;os_name=='nt'", "Put a space before the `;` in `https://h/x;os_name=='nt'`"),
        ("numpy; rm -rf /", "`rm` does not fit after `;`."),
        ("numpy;", "The end of the line does not fit after `;`."),
        ("x; python_version", "The end of the line does not fit"),
        ("x; pythonversion < '3'", "`pythonversion` does not fit"),
        ("x; python_version < 3", "`3` does not fit"),
        ("x; python_version =< '3'", "`=<` does not fit"),
        ("x; python_version not like '3'", "`not` does not fit"),
        ("x; (os_name == 'nt'", "The end of the line does not fit"),
        ("x; os_name == 'nt' and\ny", "`y` does not fit"),
        ("x; os_name == '$(id)'", "`'$(id)'` does not fit"),
        ("x; os_name == 'nt'y", "`x;` cannot be read from `y` on."),
    ] {
        let message = refused(text);
        assert!(message.starts_with(beginning), "{text:?}: {message}");
    }
    assert!(refused(&format!("x; {}", "(".repeat(9000))).starts_with("`((((((("));
}

#[test]
fn sizes_are_limited() {
    assert_eq!(
        refused(&"x ".repeat(5001)),
        "The list has 10002 bytes; at most 10000 are allowed. Use a requirements file for a long list."
    );
    assert!(refused(&"x".repeat(101)).ends_with("is too long for a package name; at most 100 characters are allowed."));
    assert_eq!(parsed(&"x".repeat(100)).len(), 1);
    // A list that grows over the limit when it is made canonical could not be read again.
    let growing: Vec<_> = (0..600).map(|n| format!("a{n};os_name<''")).collect();
    assert!(refused(&growing.join("\n")).starts_with("The list has"));
}

/// Text that looks enough like requirements to reach every rule.
fn near_requirements() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "numpy",
        "a",
        "b-c",
        "x.whl",
        "1.2",
        "1.*",
        "v2",
        "2.0rc1",
        ">=",
        "==",
        "===",
        "~=",
        "=",
        "<",
        "!",
        " ",
        " ",
        "  ",
        "\n",
        "\r\n",
        ",",
        ", ",
        ";",
        " ; ",
        "[",
        "]",
        "[x]",
        "[z,y]",
        "(",
        ")",
        "@",
        " @ ",
        "https://h/x",
        "git+ssh://h/x",
        "file:///x",
        "./x",
        "#",
        " # ",
        "python_version",
        "os_name",
        "extra",
        "'",
        "\"",
        "'x'",
        "\"3.9\"",
        " and ",
        " or ",
        " in ",
        " not in ",
        "not",
        "-r",
        "--pre",
        "--hash=sha256:0",
        "$",
        "`",
        "|",
        "&",
        "\\",
        "\\\n",
        "\0",
        "\u{202e}",
        "🚀",
        "é",
        "\u{a0}",
        "\u{2028}",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// A requirement and its canonical form.
fn valid_requirement() -> impl Strategy<Value = String> {
    (
        "[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?",
        "(\\[[a-z]{1,4}\\])?",
        "(((==|>=|<|~=|!=)[0-9]{1,3}(\\.[0-9]{1,2}){0,2}(rc1)?)?| @ https?://[a-z]{1,5}/[a-z#&?=.]{0,8})",
        "( ; python_version (<|>=) \"3\\.[0-9]\"( and os_name == \"[a-z]{1,5}\")?)?",
    )
        .prop_map(|(name, extras, versions, marker)| [name, extras, versions, marker].concat())
        .prop_filter("a name may look like a file", |text| PythonPackages::parse(text).is_ok())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = PythonPackages::parse(&text);
        let _ = RequirementsFile::parse(&text);
    }

    #[test]
    fn what_is_accepted_reads_as_itself_and_is_harmless(text in near_requirements()) {
        if let Ok(packages) = PythonPackages::parse(&text) {
            let canonical = packages.to_string();
            prop_assert_eq!(&PythonPackages::parse(&canonical).unwrap(), &packages);
            let file = RequirementsFile::parse(&canonical).unwrap();
            prop_assert_eq!(file.is_none(), packages.is_empty());
            for requirement in packages.iter() {
                prop_assert!(requirement.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
                prop_assert!(!requirement.contains(['$', '`', '|', '\\', '\'']));
                prop_assert!(!requirement.starts_with(['-', '.', '/']));
                let bare = requirement.split(" ; ").next().unwrap().split(" @ ").next().unwrap();
                prop_assert!(bare.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.[],<>=!~*+".contains(&b)), "{}", bare);
            }
        }
    }

    #[test]
    fn messages_are_short_and_on_one_line(text in near_requirements()) {
        for message in [
            PythonPackages::parse(&text).err().map(|error| error.to_string()),
            RequirementsFile::parse(&text).err().map(|error| error.to_string()),
        ].into_iter().flatten() {
            prop_assert!(message.chars().count() < 600);
            prop_assert!(!message.contains(char::is_control));
        }
    }

    #[test]
    fn a_requirements_file_reads_as_itself(text in near_requirements()) {
        if let Ok(Some(file)) = RequirementsFile::parse(&text) {
            prop_assert_eq!(RequirementsFile::parse(file.as_str()).unwrap().unwrap(), file);
        }
    }

    #[test]
    fn order_is_kept_whatever_separates(
        requirements in prop::collection::vec(valid_requirement(), 0..12),
        separator in prop::sample::select(vec![" ", "\n", ", ", " ,\r\n", "\n# x\n"]),
    ) {
        let mut expected: Vec<String> = Vec::new();
        for requirement in &requirements {
            if !expected.contains(requirement) {
                expected.push(requirement.clone());
            }
        }
        prop_assert_eq!(parsed(&requirements.join(separator)), expected);
    }
}
