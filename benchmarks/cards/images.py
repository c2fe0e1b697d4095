"""Cards of what is asked about pictures: captions, questions, multiple choice."""

from __future__ import annotations

from functools import partial

from benchmarks.cards.entry import (
    CAPTION_METRICS,
    CHOICE_METRICS,
    EXACT_METRICS,
    BenchmarkEntry,
    DataFile,
)

_COCO_MEDIA = ("val2014", "train2014", "images")
_COCO = "annotations CC BY 4.0; photographs under Flickr's terms, one by one"
_KARPATHY = "https://cs.stanford.edu/people/karpathy/deepimagesent/caption_datasets.zip"

# Documents that state facts of several cards.
_COCO_TERMS = {"licence": "cocodataset.org/#termsofuse, as many public repositories quote it"}
_COCO_SCORES = {"scored": "tylin/coco-caption, README.md"}
_TFDS = "tensorflow.org/datasets/catalog/coco_captions"
_VQA_PAGE = "visualqa.org/download.html"
_VQA_SCORES = {"scored": "GT-Vision-Lab/VQA at a013f00, vqaEval.py"}
_KARPATHY_LINK = "the address that nlphuji's cards of his splits give on the hub"
_FLICKR8K = "its owners' page, as DragoKami/Image-Scene-Desciption-using-embeddings quotes it"
_COUNTED_BY_OTHERS = "TRI-ML/vlm-evaluation, vlm_eval/conf/datasets.py: expected_examples"

_captions = partial(
    BenchmarkEntry,
    room="images",
    family="image-captioning",
    accepts=("text", "image"),
    metrics=CAPTION_METRICS,
    headline="cider_d",
    scored="coco-caption: PTB tokens, then BLEU, METEOR, ROUGE-L and CIDEr-D over the whole split",
)
_questions = partial(
    BenchmarkEntry,
    room="images",
    family="vqa",
    accepts=("text", "image"),
    metrics=("vqa_accuracy",),
    headline="vqa_accuracy",
    scored="VQA accuracy: agreement with ten people, each left out in turn",
)

IMAGES = (
    _captions(
        name="coco-captions",
        about="COCO captions, official format, whatever the folder holds",
        task="coco",
        paper="Chen et al., Microsoft COCO Captions, 2015, arXiv:1504.00325",
        origin="https://cocodataset.org",
        revision="the folder given",
        licence=_COCO,
        split="all images of the folder",
        references="5 captions of each",
        files=(DataFile("captions", ("captions.json",)),),
        media=("images",),
        superseded_by="coco-karpathy",
        sources={"paper references": "salesforce/LAVIS, dataset_card/coco_caption.md"}
        | _COCO_SCORES
        | {"licence origin": _COCO_TERMS["licence"]},
    ),
    _questions(
        name="coco-vqa",
        about="VQA v2, official format, whatever the folder holds",
        task="vqa",
        paper="Goyal et al., Making the V in VQA Matter, CVPR 2017, arXiv:1612.00837",
        origin="https://visualqa.org",
        revision="the folder given",
        licence=_COCO,
        split="all questions of the folder",
        references="10 answers to each",
        files=(
            DataFile("questions", ("vqa_questions.json",)),
            DataFile("annotations", ("vqa_annotations.json",)),
        ),
        media=("images",),
        superseded_by="vqav2",
        sources={"paper": "arXiv", "origin references": _VQA_PAGE} | _VQA_SCORES | _COCO_TERMS,
    ),
    _captions(
        name="coco-karpathy",
        about="COCO captions, Karpathy's test split",
        task="karpathy",
        paper="Karpathy and Fei-Fei, Deep Visual-Semantic Alignments, CVPR 2015, arXiv:1412.2306",
        origin=_KARPATHY,
        revision="2014 images, dataset_coco.json",
        licence=_COCO,
        split="test",
        samples=5_000,
        references="5 captions of most, 25,010 in all",
        folder="coco",
        files=(DataFile("captions", ("dataset_coco.json",), 123_287, counted=_TFDS),),
        media=_COCO_MEDIA,
        sources={
            "paper": "arXiv",
            "origin": _KARPATHY_LINK,
            "samples": _TFDS,
            "references": "card of bitmind/MS-COCO on the hub",
        }
        | _COCO_SCORES
        | _COCO_TERMS,
    ),
    _captions(
        name="coco-2017",
        about="COCO captions, validation 2017",
        paper="Chen et al., Microsoft COCO Captions, 2015, arXiv:1504.00325",
        origin="http://images.cocodataset.org/annotations/annotations_trainval2017.zip",
        revision="2017",
        licence=_COCO,
        split="val2017",
        samples=5_000,
        references="5 captions of most, 25,014 in all",
        folder="coco",
        files=(
            DataFile(
                "captions",
                ("annotations/captions_val2017.json", "captions_val2017.json"),
                25_014,
                others={202_654: "those of val2014"},
                counted="counts that public repositories report",
            ),
        ),
        media=("val2017", "images"),
        sources={
            "paper": "salesforce/LAVIS, dataset_card/coco_caption.md",
            "origin": "NVIDIA/DeepLearningExamples, PyTorch/Detection/SSD/download_dataset.sh",
            "samples references": "counts that public repositories report of val2017.zip and its captions",
        }
        | _COCO_SCORES
        | _COCO_TERMS,
    ),
    _captions(
        name="nocaps",
        about="novel objects, by domain: in, near, out, entire",
        paper="Agrawal et al., nocaps: novel object captioning at scale, ICCV 2019, arXiv:1812.08658",
        origin="https://nocaps.org/download",
        revision="v0.1",
        licence="annotations CC BY 2.0; photographs of Open Images, CC BY 2.0",
        split="val",
        samples=4_500,
        references="10 captions of each",
        scored="the same as COCO, on 648 pictures in, 2,938 near and 914 out of COCO's domain, and on all",
        folder="nocaps",
        files=(
            DataFile(
                "captions",
                ("nocaps_val_4500_captions.json", "annotations/nocaps_val_4500_captions.json"),
                45_000,
                counted="nocaps.org/download",
            ),
        ),
        media=("val", "images"),
        sources={
            "paper": "arXiv",
            "origin samples references scored": "nocaps.org/download",
            "licence": "card of HuggingFaceM4/NoCaps on the hub",
        },
    ),
    _captions(
        name="flickr30k",
        about="Flickr30k captions, Karpathy's test split",
        task="karpathy",
        paper="Young et al., From image descriptions to visual denotations, TACL 2014",
        origin=_KARPATHY,
        revision="dataset_flickr30k.json; photographs from shannon.cs.illinois.edu/DenotationGraph",
        licence="research use; photographs under Flickr's terms, one by one",
        split="test",
        samples=1_000,
        references="5 captions of each",
        folder="flickr30k",
        files=(
            DataFile(
                "captions",
                ("dataset_flickr30k.json",),
                31_014,
                others={123_287: "COCO's"},
                counted="card of nlphuji/flickr30k on the hub",
            ),
        ),
        media=("flickr30k-images", "images"),
        sources={
            "paper": "card of nlphuji/flickr30k on the hub",
            "origin": _KARPATHY_LINK,
            "samples": "card of nlphuji/flickr_1k_test_image_text_retrieval on the hub",
            "references": "salesforce/LAVIS, dataset_card/flickr_retrieval.md",
        }
        | _COCO_SCORES,
    ),
    _captions(
        name="flickr8k",
        about="Flickr8k captions, test split",
        task="karpathy",
        paper="Hodosh et al., Framing Image Description as a Ranking Task, JAIR 2013",
        origin=_KARPATHY,
        revision="dataset_flickr8k.json; photographs from hockenmaier.cs.illinois.edu/8k-pictures.html",
        licence="captions CC BY-SA; photographs under Flickr's terms, one by one",
        split="test",
        samples=1_000,
        references="5 captions of each",
        folder="flickr8k",
        files=(
            DataFile(
                "captions",
                ("dataset_flickr8k.json",),
                8_000,
                others={31_014: "Flickr30k's"},
                counted="mlverse/torchvision, Flickr8k",
            ),
        ),
        media=("Flicker8k_Dataset", "Flickr8k_Dataset", "images"),
        superseded_by="flickr30k",
        sources={
            "paper licence": _FLICKR8K,
            "origin": _KARPATHY_LINK,
            "samples references": "mlverse/torchvision, Flickr8k: 8,000 images, 1,000 for test",
        }
        | _COCO_SCORES,
    ),
    _questions(
        name="vqav2",
        about="VQA v2, validation: the test answers are not public",
        paper="Goyal et al., Making the V in VQA Matter, CVPR 2017, arXiv:1612.00837",
        origin="https://visualqa.org/download.html",
        revision="v2, as corrected on 26 April 2017",
        licence=_COCO,
        split="val2014",
        samples=214_354,
        references="10 answers to each",
        folder="vqav2",
        files=tuple(
            DataFile(
                role,
                (name,),
                214_354,
                others={443_757: "the training split", 121_512: "validation of version 1, of 2015"},
            )
            for role, name in (
                ("questions", "v2_OpenEnded_mscoco_val2014_questions.json"),
                ("annotations", "v2_mscoco_val2014_annotations.json"),
            )
        ),
        media=_COCO_MEDIA,
        sources={"paper": "arXiv", "origin samples references": _VQA_PAGE} | _VQA_SCORES | _COCO_TERMS,
    ),
    _questions(
        name="vizwiz",
        about="questions of blind people, the unanswerable told apart",
        paper="Gurari et al., VizWiz Grand Challenge, CVPR 2018, arXiv:1802.08218",
        origin="https://vizwiz.org/tasks-and-datasets/vqa",
        revision="1 January 2020",
        licence="CC BY 4.0",
        split="val",
        samples=4_319,
        references="10 answers to each, with how sure people were",
        folder="vizwiz",
        files=(
            DataFile(
                "annotations",
                (
                    "val.json",
                    "Annotations/val.json",
                    "val_annotations_vqa_format.json",
                    "vizwiz_val_annotations.json",
                ),
                4_319,
                others={20_523: "the training split"},
            ),
            DataFile(
                "questions",
                ("val_questions_vqa_format.json", "vizwiz_val_questions.json"),
                4_319,
                optional=True,
                others={20_523: "the training split"},
            ),
        ),
        media=("val", "images"),
        sources={
            "paper origin samples references": "stanford-crfm/helm, VizWizScenario",
            "scored": "EvolvingLMMs-Lab/lmms-eval, lmms_eval/tasks/vizwiz_vqa/utils.py: second hand",
        },
    ),
    _questions(
        name="okvqa",
        about="questions that need knowledge from outside",
        paper="Marino et al., OK-VQA, CVPR 2019, arXiv:1906.00067",
        origin="https://okvqa.allenai.org/download.html",
        revision="v1.1",
        licence=_COCO,
        split="val2014",
        samples=5_046,
        references="10 answers to each",
        folder="okvqa",
        files=tuple(
            DataFile(role, (name,), 5_046, others={9_009: "the training split"})
            for role, name in (
                ("questions", "OpenEnded_mscoco_val2014_questions.json"),
                ("annotations", "mscoco_val2014_annotations.json"),
            )
        ),
        media=_COCO_MEDIA,
        sources={
            "paper": "arXiv",
            "origin": "the address that public evaluation code gives",
            "samples references": "card of HuggingFaceM4/OK-VQA on the hub: 5,046 questions, 50,460 answers",
            "scored": "EvolvingLMMs-Lab/lmms-eval, lmms_eval/tasks/ok_vqa/utils.py: second hand",
        },
    ),
    _questions(
        name="textvqa",
        about="questions about writing in pictures",
        paper="Singh et al., Towards VQA Models That Can Read, CVPR 2019, arXiv:1904.08920",
        origin="https://textvqa.org",
        revision="0.5.1",
        licence="annotations CC BY 4.0; photographs of Open Images, CC BY 2.0",
        split="val",
        samples=5_000,
        references="10 answers to each",
        folder="textvqa",
        files=(
            DataFile(
                "annotations",
                ("TextVQA_0.5.1_val.json", "val_annotations_vqa_format.json", "textvqa_val_annotations.json"),
                5_000,
                others={34_602: "the training split", 5_734: "the test split"},
            ),
            DataFile(
                "questions",
                ("val_questions_vqa_format.json", "textvqa_val_questions.json"),
                5_000,
                optional=True,
            ),
        ),
        media=("train_images", "train_val_images", "images"),
        sources={
            "paper": "arXiv",
            "licence origin samples references scored": "card of facebook/textvqa on the hub",
        },
    ),
    _questions(
        name="gqa",
        about="compositional questions over scene graphs, by structure",
        paper="Hudson and Manning, GQA, CVPR 2019, arXiv:1902.09506",
        origin="https://cs.stanford.edu/people/dorarad/gqa/download.html",
        revision="1.2",
        licence="CC BY 4.0; photographs of Visual Genome",
        split="testdev, balanced",
        samples=12_578,
        references="1 answer to each",
        scored="accuracy of the very words; consistency, validity and plausibility are not computed here",
        metrics=EXACT_METRICS,
        headline="exact_match_normalized",
        folder="gqa",
        files=(
            DataFile(
                "questions",
                ("testdev_balanced_questions.json", "questions/testdev_balanced_questions.json"),
                12_578,
            ),
        ),
        media=("images",),
        sources={
            "paper": "openaccess.thecvf.com, CVPR 2019",
            "origin": "the address that public evaluation tables give",
            "samples": _COUNTED_BY_OTHERS,
            "licence": "card of Graphcore/gqa on the hub; that of lmms-lab/GQA says MIT",
            "scored": "cs.stanford.edu/people/dorarad/gqa/about.html",
        },
    ),
    _questions(
        name="pope",
        about="is there such an object: random, popular, adversarial",
        paper="Li et al., Evaluating Object Hallucination in LVLMs, EMNLP 2023, arXiv:2305.10355",
        origin="https://github.com/AoiDragon/POPE",
        revision="output/coco since October 2023, edebdda",
        licence="MIT; photographs as COCO's",
        split="COCO val2014, three settings",
        samples=9_000,
        references="yes or no",
        scored="a first sentence with 'no' or 'not' is no, all else yes; F1 of yes, three settings",
        metrics=(
            "pope_accuracy",
            "pope_f1",
            "pope_precision",
            "pope_recall",
            "pope_yes_ratio",
            "pope_unparsed",
        ),
        headline="pope_f1",
        folder="pope",
        files=tuple(
            DataFile(
                kind,
                (f"coco_pope_{kind}.json", f"pope_coco_{kind}.json", f"output/coco/coco_pope_{kind}.json"),
                3_000,
                others={2_910: "the version before October 2023, which LLaVA-1.5 reports on"},
                counted="TRI-ML/vlm-evaluation#15",
            )
            for kind in ("random", "popular", "adversarial")
        ),
        media=_COCO_MEDIA,
        sources={
            "paper origin references": "AoiDragon/POPE, README.md",
            "licence": "AoiDragon/POPE, LICENSE",
            "samples": "TRI-ML/vlm-evaluation#15 and haotian-liu/LLaVA#626",
            "scored": "AoiDragon/POPE, evaluate.py",
        },
    ),
    _questions(
        name="mmbench",
        about="multiple choice by ability; a question counts only when all turns of its options are right",
        paper="Liu et al., MMBench, ECCV 2024, arXiv:2307.06281",
        origin="https://github.com/open-compass/MMBench",
        revision="dev 20230712, English",
        licence="Apache-2.0; photographs as their owners'",
        split="dev",
        samples=4_377,
        references="1 of up to 4 options",
        scored="CircularEval: a question is right where all its turns are; 1,164 questions",
        metrics=("choice_circular", *CHOICE_METRICS),
        headline="choice_circular",
        folder="mmbench",
        files=(
            DataFile(
                "questions",
                ("mmbench_dev_20230712.tsv", "mmbench_dev_en_20231003.tsv"),
                4_377,
                others={4_329: "the version of 3 October 2023, with some of the data cleaned"},
            ),
        ),
        sources={
            "paper origin scored references": "open-compass/MMBench, README.md and issues 6, 8 and 31",
            "samples": "viewer of lmms-lab/MMBench_EN on the hub, to three digits",
        },
    ),
    _questions(
        name="seed-bench",
        about="multiple choice by ability, the questions about pictures",
        paper="Li et al., SEED-Bench, CVPR 2024, arXiv:2307.16125",
        origin="https://huggingface.co/datasets/AILab-CVC/SEED-Bench",
        revision="v1, since 30 November 2023",
        licence="CC BY-NC 4.0 on the hub, Apache-2.0 on GitHub; pictures of Conceptual Captions",
        split="the nine abilities of single pictures",
        samples=14_233,
        references="1 of 4 options",
        scored="accuracy by ability, the option of greatest likelihood; here the letter that is answered",
        metrics=CHOICE_METRICS,
        headline="choice_accuracy",
        folder="seed-bench",
        files=(
            DataFile(
                "questions",
                ("SEED-Bench.json",),
                17_990,
                others={19_242: "before 30 November 2023, when questions about videos were screened"},
            ),
        ),
        media=("SEED-Bench-image", "images"),
        superseded_by="SEED-Bench-2, not read here",
        sources={
            "paper origin": "AILab-CVC/SEED-Bench, README.md",
            "licence": "card of AILab-CVC/SEED-Bench on the hub; AILab-CVC/SEED-Bench, README.md",
            "references": "AILab-CVC/SEED-Bench, DATASET.md",
            "scored": "AILab-CVC/SEED-Bench, EVALUATION.md",
        },
    ),
)
