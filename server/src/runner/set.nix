# The shell of a package set: its variables let compilers find the headers and libraries of the set's packages.
# Tools belong in one of the two lists and libraries in the other; a name does not tell which it is, so both get all.
{ nixpkgs, names, system ? builtins.currentSystem }:
let
  flake = builtins.getFlake nixpkgs;
  packages = flake.legacyPackages.${system} or flake.packages.${system};
  words = separator: text: builtins.filter (part: builtins.isString part && part != "") (builtins.split separator text);
  find = name: builtins.foldl' (set: part: set.${part}) packages (words "[.]" name);
  all = map find (words " " names);
  shell = packages.mkShellNoCC or packages.mkShell or (throw "this nixpkgs has no mkShell");
in
shell { nativeBuildInputs = all; buildInputs = all; }
