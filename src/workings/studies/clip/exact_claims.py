"""What can be counted: pairs of encoders, their parameters and names, the weights that a class finds, and cats."""

from workings.core.claim import Verdict, claim, inconclusive, refuted, supported
from workings.core.evidence import NONE, Evidence

WORDS = "flickr8k-captions"


@claim(
    "config-is-one-of-the-three",
    source="nyu-2025-hw3/2a",
    about=NONE,
    basis="transcribed",
    published=True,
    expect="refuted",
    statement="The configuration printed in the published answer is that of one of its three models.",
    rule="The printed pair of encoders must be one of the three, and the printed projection that of the text below it.",
    repair="Print the configuration of each model, from the object that trained it.",
)
def config_is_one_of_the_three(evidence: Evidence) -> Verdict:
    """The printed configuration beside the three models."""
    stated, pairs = (evidence.published[name] for name in ("config-is-one-of-the-three", "pairs"))
    printed = [stated["image"], stated["text"]]
    models = {name: pairs[name] for name in "ABC"}
    projections = {"projection": stated["projection"], "in_the_text": stated["projection_in_the_text"]}
    told = f"Printed is {' + '.join(printed)}"
    if printed not in models.values() or len(set(projections.values())) > 1:
        among = "one" if printed in models.values() else "none"
        sizes = " and ".join(str(size) for size in dict.fromkeys(projections.values()))
        told = f"{told}, {among} of the three pairs, with a projection to {sizes} dimensions."
        return refuted(told, witness={"printed": printed, **projections, "models": models})
    return supported(f"{told}, a model of the three.", printed=printed, **projections)


@claim(
    "resnet-32-is-standard",
    source="nyu-2025-hw3/2a",
    about=NONE,
    basis="exhaustive",
    expect="refuted",
    statement="The encoder that the sheet calls ResNet-32 is one of the standard ResNets for photographs.",
    rule="Its name must be among the ResNets by depth alone that torchvision knows.",
    repair="Say ResNet-34, the nearest of them. He et al. (2015) have a network of 32 layers too, for pictures of "
    "32 pixels (CIFAR), with few and narrow maps.",
)
def resnet_32_is_standard(evidence: Evidence) -> Verdict:
    """The name that the sheet gives, among the names there are."""
    stated = evidence.published["resnet-32-is-standard"]["name"]
    known = evidence.where(task="count").one().table("resnets")
    told = f"The standard ones are {', '.join(sorted(known, key=lambda name: (len(name), name)))}"
    if stated.lower().replace("-", "") in known:
        return supported(f"{told}; {stated} is one.", known=known)
    return refuted(f"{told}; {stated} is none of them.", witness={"named": stated, "known": known})


@claim(
    "a-is-balanced",
    source="nyu-2025-hw3/2c",
    about=NONE,
    basis="exhaustive",
    published=True,
    expect="refuted",
    statement="The model by which the published answer shows balanced scaling joins encoders of equal rank by size.",
    rule="Among the three image encoders, and among the three text encoders, its own must have the same rank by their "
    "counted parameters.",
    repair="It joins the largest image encoder to the smallest text encoder: of the three pairs the least balanced.",
)
def a_is_balanced(evidence: Evidence) -> Verdict:
    """The ranks of the encoders of the model that is to show balance."""
    name = evidence.published["balanced-scaling-best"]["shown_by"]
    rows = evidence.where(task="count").one().table("towers")
    sizes = {part: [row[f"{part}_parameters"] for row in rows.values()] for part in ("image", "text")}
    rank = {part: 1 + sum(size < rows[name][f"{part}_parameters"] for size in given) for part, given in sizes.items()}
    images, texts = ({rows[m][part]: rows[m][f"{part}_parameters"] for m in rows} for part in ("image", "text"))
    told = (
        f"{name} has the image encoder of rank {rank['image']} among {len(rows)}, from the smallest, and the text "
        f"encoder of rank {rank['text']}"
    )
    if rank["image"] == rank["text"]:
        return supported(f"{told}.", rank=rank)
    return refuted(f"{told}.", witness={"model": name, "rank": rank, "images": images, "texts": texts})


@claim(
    "one-class-loads-all",
    source="own",
    about=NONE,
    basis="exhaustive",
    expect="refuted",
    statement="One class of text model, written down for all, finds all of its weights in DistilBERT's, BERT's and "
    "RoBERTa's files alike.",
    rule="Of one class at least, every parameter must have a namesake of its shape in the files of each kind.",
    repair="Load each tower by the class that its own files name (AutoModel), and fail on missing keys.",
)
def one_class_loads_all(evidence: Evidence) -> Verdict:
    """What each class finds in each kind of file."""
    rows = evidence.where(task="count").one().table("loading")
    shares: dict[str, dict[str, float]] = {}
    for row in rows:
        shares.setdefault(row["class"], {})[row["weights"]] = row["found"] / row["parameters"]
    for name, found in shares.items():
        if min(found.values()) == 1:
            return supported(f"{name} finds all of its parameters in each.", **shares)
    told = "; ".join(
        f"{name} finds {' and '.join(f'{share:.1%} in {kind}' for kind, share in found.items() if share < 1)}"
        for name, found in shares.items()
    )
    lacking = min(rows, key=lambda row: row["found"] / row["parameters"])
    return refuted(f"Of its parameters {told}; the rest stay random.", witness=lacking, **shares)


@claim(
    "cats-are-rare",
    source="own",
    about=WORDS,
    basis="exhaustive",
    expect="supported",
    statement="Fewer than one in two hundred of Flickr8k's captions name a cat.",
    rule=r"Captions are counted that match \bcats?\b, in capitals or not, among all of the set; their share must lie "
    "below our mark.",
)
def cats_are_rare(evidence: Evidence) -> Verdict:
    """Captions that name a cat, counted."""
    mark = evidence.published["cats-are-rare"]
    run = evidence.where(task="words").one()
    names = ("captions", "pictures", "cat/captions", "cat/pictures", "cats/captions", "cats/pictures")
    count = {name: int(run.metric(name)) for name in names}
    share = count["cats/captions"] / count["captions"]
    told = (
        f"“cat” or “cats” is in {count['cats/captions']} of {count['captions']:,} captions ({share:.2%}), of "
        f"{count['cats/pictures']} of {count['pictures']:,} pictures; “cat” alone in {count['cat/captions']}, of "
        f"{count['cat/pictures']}"
    )
    if count["captions"] != mark["captions"]:
        return inconclusive(f"{told}: the whole set has {mark['captions']:,} captions.", **count)
    if share < mark["below"]:
        return supported(f"{told}.", share=share, **count)
    return refuted(f"{told}.", witness={"share": share, "below": mark["below"], **count})
